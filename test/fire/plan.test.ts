import { expect, test } from "vitest";
import { KINDS } from "./nemesis/kinds.ts";
import { type FireOptions, type Plan, planFire } from "./plan.ts";
import { TROUPE_NAMES } from "./stage/stage.ts";

const OPTIONS: FireOptions = {
  minutes: 3,
  seed: 1,
  eventsPerSecond: 200,
  only: null,
};

const planned = (options: Partial<FireOptions> = {}) =>
  planFire({ ...OPTIONS, ...options }, KINDS, TROUPE_NAMES);

test("the same seed plans the same, another one something else", () => {
  expect(shown(planned())).toEqual(shown(planned()));
  expect(shown(planned({ seed: 2 }))).not.toEqual(shown(planned()));
});

test("every kind comes once before any comes twice", () => {
  const names = planned().rounds.flatMap((round) => round.map(({ kind }) => kind.name));
  expect(new Set(names.slice(0, KINDS.length)).size).toBe(KINDS.length);
});

test("a long run has fewer faults at once than a short one", () => {
  const most = ({ rounds }: Plan) => Math.max(...rounds.map((round) => round.length));
  expect(most(planned({ minutes: 30 }))).toBe(1);
  expect(most(planned({ minutes: 3 }))).toBeGreaterThan(1);
});

test("faults of a round are about different things", () => {
  for (const round of planned({ minutes: 1 }).rounds) {
    const about = round.map(({ kind, member }) => `${kind.about} ${member}`);
    expect(new Set(about).size).toBe(about.length);
  }
});

function shown({ rounds, loadSeed }: Plan): unknown {
  return [loadSeed, rounds.map((round) => round.map(({ kind, ...rest }) => [kind.name, rest]))];
}

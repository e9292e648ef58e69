import { expect, test } from "vitest";
import { KINDS } from "./nemesis/kinds.ts";
import { reportText } from "./report.ts";
import { runFire } from "./run-fire.ts";

/** A run goes on until every kind of fault has come once and has hit something, however long that takes. */
const MINUTES = 3;
const WITHIN_MS = 12 * 60_000;

test("after every kind of fault nothing is lost or twice, and every service is back by itself", {
  timeout: WITHIN_MS,
}, async () => {
  const options = { minutes: MINUTES, seed: 7, eventsPerSecond: 200, only: null };
  const result = await runFire(options, (line) => console.error(line));
  expect(result.failures, reportText(result)).toEqual([]);
  const used = new Set(result.rounds.flatMap(({ round }) => round.map(({ kind }) => kind.name)));
  expect(used.size).toBe(KINDS.length);
});

import { expect, test } from "vitest";
import { boundFigures, flatFigures } from "./judge.ts";
import type { HealthAnswer, ProcessSample, Sample } from "./sample.ts";

const WELL: HealthAnswer = { status: 200, ms: 3, down: [] };
const PROCESS: ProcessSample = {
  ...{ name: "metering-1", service: "metering", pid: 1, megabytes: 200, descriptors: 30 },
  ...{ live: WELL, ready: WELL },
};

/** 30 samples of an even load; `change` is what is different in the last ten. */
function samples(change: Partial<Sample> | ((at: number) => Partial<Sample>) = {}): Sample[] {
  return Array.from({ length: 30 }, (_, at) => ({
    ...{ at: at * 2_000, published: at * 100, metered: at * 100, unread: 10 },
    ...{ processes: [PROCESS], connections: 30, queueBytes: 5e6, historyBytes: at * 20_000 },
    ...(at < 20 ? {} : typeof change === "function" ? change(at) : change),
  }));
}

const changed = (process: Partial<ProcessSample>) => ({ processes: [{ ...PROCESS, ...process }] });

const wrong = (figures: ReturnType<typeof flatFigures>) =>
  figures.filter(({ isWell }) => !isWell).map(({ what }) => what);

test("an even load is flat and within bounds", () => {
  expect(wrong(flatFigures(samples()))).toEqual([]);
  expect(wrong(boundFigures(samples()))).toEqual([]);
});

test.each([
  ["memory of metering", changed({ megabytes: 235 })],
  ["open files and sockets of metering", changed({ descriptors: 45 })],
  ["connections to Postgres", { connections: 40 }],
  ["tables whose rows come and go", { queueBytes: 9e6 }],
] as const)("%s that grows is told", (what, change) => {
  expect(wrong(flatFigures(samples(change)))).toEqual([`${what}, largest of the last third`]);
});

test("an event that takes more disk than before is told", () => {
  const heavier = (at: number) => ({ historyBytes: 20 * 20_000 + (at - 20) * 60_000 });
  expect(wrong(flatFigures(samples(heavier)))).toEqual(["disk for each event in the last third"]);
});

test.each([
  ["memory of metering", changed({ megabytes: 401 })],
  ["connections to Postgres", { connections: 93 }],
  ["slowest answer for health", changed({ ready: { ...WELL, ms: 5_001 } })],
  ["without an answer", changed({ ready: { ...WELL, status: null } })],
  ["/livez that is not 200", changed({ live: { ...WELL, status: 503 } })],
  ["processes that ended", changed({ pid: 2 })],
] as const)("%s beyond its bound is told", (what, change) => {
  expect(wrong(boundFigures(samples(change)))).toEqual([what]);
});

test("a process that is not ready is told with what is down", () => {
  const ready = { ...WELL, status: 503, down: ["outbox"] };
  const figure = boundFigures(samples(changed({ ready }))).find(({ bound }) => bound === null);
  expect(figure?.value).toBe("10 of 30 (metering outbox)");
});

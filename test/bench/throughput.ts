import type { Kafka } from "kafkajs";
import { TOPICS } from "../../shared/core/text/topics.ts";
import type { RegistrySettings } from "../../shared/runtime/server-settings.ts";
import type { BookMaker } from "./books.ts";
import { type Run, runFloor, runLeanFloor, runMetering, type Servers } from "./consume.ts";
import { cpuFigure, type Figure, rateFigure } from "./figure.ts";
import { type Load, publishBacklog } from "./load.ts";
import { spreadOf } from "./statistics.ts";
import { bytesFigure, type Stored, storing } from "./store-size.ts";

/** What every scenario runs on. */
export interface Bench {
  readonly servers: Servers;
  readonly kafka: Kafka;
  readonly registry: RegistrySettings;
  readonly books: BookMaker;
  readonly events: number;
  readonly rounds: number;
  say(line: string): void;
}

const MEGABYTES = { unit: "MB", target: { atMost: 300 } } as const;

/** Metering beside the floor over accounts at random, and its memory meanwhile. */
export async function randomAccounts(bench: Bench): Promise<Figure[]> {
  const total = await backlog(bench, { events: bench.events, accounts: 10_000, repeatsPercent: 0 });
  const pairs = await inTurn(bench, "10,000 accounts", {
    floor: () => onBooks(bench, 1, 1, (url) => floor(bench, url, total)),
    subject: () => onBooks(bench, 10_000, 1, (url) => metering(bench, url, total)),
  });
  const lean: Run[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`lean floor: round ${round + 1} of ${bench.rounds}`);
    lean.push(await onBooks(bench, 1, 1, (url) => leanFloor(bench, url, total)));
  }
  const besideLean = pairs.flatMap(({ subject }, i) => {
    const floor = lean[i];
    return floor === undefined ? [] : [{ subject, floor }];
  });
  const lots = await inTurn(bench, "200 lots an account", {
    floor: () => onBooks(bench, 10_000, 1, (url) => metering(bench, url, total)),
    subject: () => onBooks(bench, 10_000, 200, (url) => metering(bench, url, total)),
  });
  const few = Math.min(total, 5_000);
  const batched = spreadOf(pairs.map(({ subject }) => subject.eventsPerSecond)).median;
  const single = await onBooks(bench, 10_000, 1, (url) =>
    metering(bench, url, few, { METERING_BATCH_EVENTS: "1" }),
  );
  return [
    rateFigure("metering, 10,000 accounts at random", pairs, "floor", { atLeast: 1.2 }),
    rateFigure("the same, beside the lean floor", besideLean, "lean floor", { atLeast: 0.6 }),
    {
      name: "metering, beside a transaction an event",
      value: batched,
      unit: "events/s",
      beside: { name: "one by one", value: single.eventsPerSecond },
      ratio: spreadOf([batched / single.eventsPerSecond]),
      target: { atLeast: 50 },
    },
    ...costFigures("10,000 accounts at random", pairs, total),
    rateFigure("metering, 200 live lots on each account", lots, "one lot", { atLeast: 0.95 }),
    {
      name: `memory, backlog of ${total.toLocaleString("en")} events`,
      value: Math.max(...pairs.map(({ subject }) => subject.peakMegabytes)),
      ...MEGABYTES,
    },
  ];
}

/** One account takes all the usage: a batch is one update of one row. */
export async function hotAccount(bench: Bench): Promise<Figure[]> {
  const total = await backlog(bench, { events: bench.events, accounts: 1, repeatsPercent: 0 });
  const pairs = await inTurn(bench, "one hot account", {
    floor: () => onBooks(bench, 1, 1, (url) => floor(bench, url, total)),
    subject: () => onBooks(bench, 10_000, 1, (url) => metering(bench, url, total)),
  });
  return [rateFigure("metering, one hot account", pairs, "floor", { atLeast: 1 })];
}

/** 5 % repeats beside none; the floor, which cannot take repeats, reads a topic of its own without them. */
export async function repeats(bench: Bench): Promise<Figure[]> {
  const load = { events: bench.events, accounts: 10_000, repeatsPercent: 0 };
  const total = await backlog(bench, load);
  const clean = await inTurn(bench, "no repeats", {
    floor: () => onBooks(bench, 1, 1, (url) => floor(bench, url, total)),
    subject: () => onBooks(bench, 10_000, 1, (url) => metering(bench, url, total)),
  });
  const withRepeats = await backlog(bench, { ...load, repeatsPercent: 5 });
  const repeated: Run[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`5 % repeats: round ${round + 1} of ${bench.rounds}`);
    repeated.push(await onBooks(bench, 10_000, 1, (url) => metering(bench, url, withRepeats)));
  }
  const pairs = repeated.flatMap((subject, i) => {
    const beside = clean[i]?.subject;
    return beside === undefined ? [] : [{ subject, floor: beside }];
  });
  return [rateFigure("metering, 5 % repeats", pairs, "none", { atLeast: 0.9 })];
}

/** More accounts than are warm, in one round. */
export async function manyAccounts(
  bench: Bench,
  accounts: number,
  atLeast: number,
): Promise<Figure[]> {
  const total = await backlog(bench, { events: bench.events, accounts, repeatsPercent: 0 });
  const name = `metering, ${accounts.toLocaleString("en")} accounts at random`;
  const pairs = await inTurn({ ...bench, rounds: 1 }, name, {
    floor: () => onBooks(bench, 1, 1, (url) => floor(bench, url, total)),
    subject: () => onBooks(bench, accounts, 1, (url) => metering(bench, url, total)),
  });
  return [rateFigure(name, pairs, "floor", { atLeast })];
}

/** What metering takes of the processors, and adds to the write-ahead log and to disk, beside the floor. */
function costFigures(
  name: string,
  pairs: readonly { readonly subject: Run & Stored; readonly floor: Run & Stored }[],
  total: number,
): Figure[] {
  const runs = pairs.map((pair) => ({ ...pair, total }));
  return [
    cpuFigure(`CPU, ${name}`, pairs, "floor", { atMost: 0.9 }),
    bytesFigure(`WAL, ${name}`, runs, { of: "walBytes", beside: "floor" }),
    bytesFigure(`disk, ${name}`, runs, { of: "diskBytes", beside: "floor" }),
  ];
}

/** Floor and subject, one after the other, round by round. */
export async function inTurn<R extends Run>(
  bench: Bench,
  name: string,
  runs: { floor(): Promise<R>; subject(): Promise<R> },
): Promise<{ subject: R; floor: R }[]> {
  const pairs: { subject: R; floor: R }[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`${name}: round ${round + 1} of ${bench.rounds}`);
    const floor = await runs.floor();
    pairs.push({ floor, subject: await runs.subject() });
  }
  return pairs;
}

/** Leaves only the given events in `usage.events`; returns the number of messages. */
export async function backlog(bench: Bench, load: Load): Promise<number> {
  bench.say(`publishing ${load.events.toLocaleString("en")} events of ${load.accounts} accounts`);
  return publishBacklog(bench.kafka, bench.registry, TOPICS.usageEvents, load);
}

export async function onBooks(
  bench: Bench,
  accounts: number,
  lots: number,
  run: (url: string) => Promise<Run>,
): Promise<Run & Stored> {
  const url = await bench.books.make(accounts, lots);
  return andDrop(bench, url, () => run(url));
}

/** Runs on books and drops them. */
export async function andDrop(
  bench: Bench,
  url: string,
  run: () => Promise<Run>,
): Promise<Run & Stored> {
  try {
    return await storing(url, run);
  } finally {
    await bench.books.drop(url);
  }
}

function floor(bench: Bench, url: string, total: number): Promise<Run> {
  return runFloor(bench.servers, url, TOPICS.usageEvents, total);
}

function leanFloor(bench: Bench, url: string, total: number): Promise<Run> {
  return runLeanFloor(bench.servers, url, TOPICS.usageEvents, total);
}

export function metering(
  bench: Bench,
  url: string,
  total: number,
  settings: NodeJS.ProcessEnv = {},
): Promise<Run> {
  return runMetering(bench.servers, url, total, settings);
}

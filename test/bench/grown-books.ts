import type { Run } from "./consume.ts";
import { cpuFigure, type Figure, rateFigure } from "./figure.ts";
import { growBooks } from "./grow-books.ts";
import type { IdVersion } from "./load.ts";
import { spreadOf } from "./statistics.ts";
import { bytesFigure, type Stored, sizeOfStore } from "./store-size.ts";
import { andDrop, type Bench, backlog, metering } from "./throughput.ts";

const ACCOUNTS = 10_000;

interface Round {
  readonly total: number;
  readonly subject: Run & Stored;
  readonly floor: Run & Stored;
}

/** Books with events in them, to be copied. */
interface Grown {
  readonly url: string;
  readonly ids: IdVersion;
  readonly events: number;
  readonly diskBytes: number;
}

/** Metering into books with so many events, grown by SQL, beside empty books; and what they take on disk. */
export async function grownBooks(bench: Bench, events: number): Promise<Figure[]> {
  const grown = await grow(bench, events, "v7");
  const rounds = await roundsOf(bench, async () => {
    const total = await backlog(bench, loadOf(bench));
    const floor = await meteringInto(bench, await bench.books.make(ACCOUNTS, 1), total);
    const subject = await meteringInto(bench, await bench.books.copy(grown.url), total);
    return { total, subject, floor };
  });
  await bench.books.drop(grown.url);
  const name = nameOf(grown);
  const perEvent = rounds.map(
    ({ total, subject }) => (grown.diskBytes + subject.diskBytes) / (grown.events + total),
  );
  return [
    rateFigure(`metering, ${name}`, rounds, "empty books", { atLeast: 0.9 }),
    cpuFigure(`CPU, ${name}`, rounds, "empty books"),
    bytesFigure(`WAL, ${name}`, rounds, { of: "walBytes", beside: "empty books" }),
    {
      name: `disk, all that is in the books, ${name}`,
      value: spreadOf(perEvent).median,
      unit: "B/event",
      target: { atMost: 150 },
    },
  ];
}

/** Random ids beside ids that sort by time, each in books with so many events of its kind. */
export async function randomIds(bench: Bench, events: number): Promise<Figure[]> {
  const sorted = await grow(bench, events, "v7");
  const random = await grow(bench, events, "v4");
  const rounds = await roundsOf(bench, async () => {
    const total = await backlog(bench, loadOf(bench));
    const floor = await meteringInto(bench, await bench.books.copy(sorted.url), total);
    await backlog(bench, { ...loadOf(bench), ids: "v4" });
    const subject = await meteringInto(bench, await bench.books.copy(random.url), total);
    return { total, subject, floor };
  });
  await bench.books.drop(sorted.url);
  await bench.books.drop(random.url);
  const name = nameOf(random);
  return [
    rateFigure(`metering, ${name}`, rounds, "v7 ids", { atLeast: 0.6 }),
    cpuFigure(`CPU, ${name}`, rounds, "v7 ids"),
    bytesFigure(`WAL, ${name}`, rounds, { of: "walBytes", beside: "v7 ids" }),
    bytesFigure(`disk, ${name}`, rounds, { of: "diskBytes", beside: "v7 ids" }),
  ];
}

const loadOf = (bench: Bench) => ({ events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0 });

async function grow(bench: Bench, events: number, ids: IdVersion): Promise<Grown> {
  bench.say(`growing books by ${events.toLocaleString("en")} events with ${ids} ids`);
  const url = await bench.books.make(ACCOUNTS, 1);
  const grown = await growBooks(url, { events, ids });
  const { diskBytes } = await sizeOfStore(url);
  return { url, ids, events: grown, diskBytes };
}

async function roundsOf(bench: Bench, measure: () => Promise<Round>): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`grown books: round ${round + 1} of ${bench.rounds}`);
    rounds.push(await measure());
  }
  return rounds;
}

const meteringInto = (bench: Bench, url: string, total: number): Promise<Run & Stored> =>
  andDrop(bench, url, () => metering(bench, url, total));

const nameOf = ({ ids, events }: Grown) =>
  `${ids} ids, ${events.toLocaleString("en")} events in the books`;

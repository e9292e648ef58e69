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
  readonly empty: Run & Stored;
  readonly sorted: Run & Stored;
  readonly random: Run & Stored;
}

/** Books with events in them, to be copied. */
interface Grown {
  readonly url: string;
  readonly events: number;
  readonly diskBytes: number;
}

/**
 * Metering into books with so many events, grown by SQL, beside empty books; random ids beside ids that
 * sort by time, each in books grown with its kind; and what the grown books take on disk.
 */
export async function grownBooks(bench: Bench, events: number): Promise<Figure[]> {
  const sorted = await grow(bench, events, "v7");
  const random = await grow(bench, events, "v4");
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`grown books: round ${round + 1} of ${bench.rounds}`);
    rounds.push(await measure(bench, sorted, random));
  }
  await bench.books.drop(sorted.url);
  await bench.books.drop(random.url);
  return figures(rounds, sorted);
}

async function grow(bench: Bench, events: number, ids: IdVersion): Promise<Grown> {
  bench.say(`growing books by ${events.toLocaleString("en")} events with ${ids} ids`);
  const url = await bench.books.make(ACCOUNTS, 1);
  const grown = await growBooks(url, { events, ids });
  const { diskBytes } = await sizeOfStore(url);
  return { url, events: grown, diskBytes };
}

async function measure(bench: Bench, sorted: Grown, random: Grown): Promise<Round> {
  const { books } = bench;
  const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0 };
  const total = await backlog(bench, load);
  const on = (url: string) => andDrop(bench, url, () => metering(bench, url, total));
  const empty = await on(await books.make(ACCOUNTS, 1));
  const withSorted = await on(await books.copy(sorted.url));
  await backlog(bench, { ...load, ids: "v4" });
  const withRandom = await on(await books.copy(random.url));
  return { total, empty, sorted: withSorted, random: withRandom };
}

function figures(rounds: readonly Round[], grown: Grown): Figure[] {
  const besideEmpty = rounds.map(({ total, sorted, empty }) => ({
    ...{ total, subject: sorted, floor: empty },
  }));
  const besideSorted = rounds.map(({ total, random, sorted }) => ({
    ...{ total, subject: random, floor: sorted },
  }));
  const inBooks = `${grown.events.toLocaleString("en")} events in the books`;
  const [v7, v4] = [`v7 ids, ${inBooks}`, `v4 ids, ${inBooks}`];
  const perEvent = rounds.map(
    ({ total, sorted }) => (grown.diskBytes + sorted.diskBytes) / (grown.events + total),
  );
  return [
    rateFigure(`metering, ${v7}`, besideEmpty, "empty books", { atLeast: 0.9 }),
    rateFigure(`metering, ${v4}`, besideSorted, "v7 ids", { atLeast: 0.6 }),
    cpuFigure(`CPU, ${v7}`, besideEmpty, "empty books"),
    cpuFigure(`CPU, ${v4}`, besideSorted, "v7 ids"),
    bytesFigure(`WAL, ${v7}`, besideEmpty, { of: "walBytes", beside: "empty books" }),
    bytesFigure(`WAL, ${v4}`, besideSorted, { of: "walBytes", beside: "v7 ids" }),
    bytesFigure(`disk, ${v4}`, besideSorted, { of: "diskBytes", beside: "v7 ids" }),
    {
      name: `disk, all that is in the books, ${v7}`,
      value: spreadOf(perEvent).median,
      unit: "B/event",
      target: { atMost: 150 },
    },
  ];
}

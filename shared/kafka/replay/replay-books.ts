import type { Kafka } from "kafkajs";
import { TOPICS, USAGE_READER } from "../../core/text/topics.ts";
import { areOfOtherTopic, readOffsets } from "../../ledger/books/consumer-offset.ts";
import { type Database, inTransaction, type Transaction } from "../../ledger/postgres/database.ts";
import { readUsageSnapshot } from "../../ledger/postgres/read-snapshot.ts";
import { RUN_SET_UP } from "../../ledger/postgres/require-schema.ts";
import { type BooksCompared, compareBooks } from "../../ledger/proof/compare-books.ts";
import {
  beginReplay,
  isUnfinishedReplay,
  type TargetProblem,
  targetProblem,
} from "../../ledger/replay/begin.ts";
import { finishReplay } from "../../ledger/replay/finish.ts";
import { recordedEntries } from "../../ledger/replay/recorded-entries.ts";
import { replayRest } from "../../ledger/replay/replay-rest.ts";
import { listMigrations, usageBelow } from "../../ledger/replay/source.ts";
import { type PastPartition, pastPartitions } from "../../ledger/usage/past-usage.ts";
import { type PartitionEnds, readPartitionEnds } from "../client/partition-ends.ts";
import { readTopicId } from "../client/topic-id.ts";
import type { OffsetRange } from "../consume/read-ranges.ts";
import { type Replay, ReplayRefused, replayUsage } from "./replay-usage.ts";

export interface BooksToReplay extends Replay {
  readonly source: Database;
  /** Creates the tables of this version in a database without rows. */
  migrate(target: Database): Promise<unknown>;
  /** Called once the target has rows, with the number of offsets to replay. */
  onBegun(offsets: number): void;
  /** Called when all is posted and comparing begins. */
  onPosted(): void;
}

export interface BooksReplayed extends BooksCompared {
  readonly events: number;
  readonly offsets: bigint;
  /** How long reading and posting took, without copying and comparing. */
  readonly postingMs: number;
}

/**
 * Builds complete books in an empty database: from the usage topic, the recorded entries, and copies of
 * all that these two do not contain. The source is read in one snapshot and never written. In the end
 * both are compared account by account. Throws ReplayRefused, RangeUnreadable and RegistryUnavailable;
 * an unfinished replay stays, marked as one (`isUnfinishedReplay`).
 */
export async function replayBooks(books: BooksToReplay): Promise<BooksReplayed> {
  const { target, signal } = books;
  return readUsageSnapshot(books.source, async (source) => {
    await neverIdle(source);
    const ranges = await rangesOf(books, source);
    await prepare(books, source);
    const starts = new Map([...ranges].map(([partition, { from }]) => [partition, from]));
    await inTransaction(target, async (transaction) => {
      await neverIdle(transaction);
      const problem = await beginReplay(source, transaction, starts, signal);
      if (problem !== null) throw new ReplayRefused(inWords(problem));
    });
    const offsets = sizeOf(ranges);
    books.onBegun(Number(offsets));

    const startedAt = performance.now();
    const recorded = recordedEntries(source);
    const events = await replayUsage({ ...books, source, recorded, ranges });
    await replayRest(source, target, recorded, signal);
    const postingMs = performance.now() - startedAt;
    books.onPosted();

    const compared = await inTransaction(target, async (transaction) => {
      await neverIdle(transaction);
      await finishReplay(source, transaction);
      const found = await compareBooks(source, transaction);
      signal.throwIfAborted();
      return found;
    });
    return { ...compared, events, offsets, postingMs };
  });
}

/** A transaction may have to wait long for the other database. */
async function neverIdle(transaction: Transaction): Promise<void> {
  await transaction.query("SET LOCAL idle_in_transaction_session_timeout = 0");
}

/** From the first message to the offset that the books have read, by partition. */
async function rangesOf(
  { kafka }: BooksToReplay,
  source: Transaction,
): Promise<Map<number, OffsetRange>> {
  if (await isUnfinishedReplay(source)) {
    throw new ReplayRefused("the books to replay are themselves an unfinished replay");
  }
  const places = await readOffsets(source, USAGE_READER);
  const past = new Map((await pastPartitions(source)).map((each) => [each.partition, each]));
  const ends = await endsOf(kafka);
  const id = await readTopicId(kafka, TOPICS.usageEvents);
  if (id !== null && (await areOfOtherTopic(source, USAGE_READER, id))) {
    throw new ReplayRefused(`${TOPICS.usageEvents} was made anew since the books have read it`);
  }
  const ranges = new Map<number, OffsetRange>();
  for (const [partition, to] of places) {
    const end = ends.find((known) => known.partition === partition);
    if (end === undefined || end.high < to) throw otherTopic(partition, to, end);
    if (end.low > 0n) await assertKept(source, end, past.get(partition) ?? null);
    ranges.set(partition, { from: end.low < to ? end.low : to, to });
  }
  return ranges;
}

async function endsOf(kafka: Kafka): Promise<PartitionEnds[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    // Fetching the offsets of a topic may create it.
    const topics = await admin.listTopics();
    if (!topics.includes(TOPICS.usageEvents)) {
      throw new ReplayRefused(`Kafka has no topic ${TOPICS.usageEvents}`);
    }
    return await readPartitionEnds(admin);
  } finally {
    await admin.disconnect();
  }
}

function otherTopic(partition: number, to: bigint, end?: PartitionEnds): ReplayRefused {
  const name = `${TOPICS.usageEvents}/${partition}`;
  const has = end === undefined ? `there is no ${name}` : `${name} ends at ${end.high}`;
  return new ReplayRefused(
    `${has}, but the books have read up to ${to}: this is not the topic that the books were kept from`,
  );
}

/** Books may begin after the topic did; what they have metered must still be there. */
async function assertKept(
  source: Transaction,
  { partition, low }: PartitionEnds,
  past: PastPartition | null,
): Promise<void> {
  if (past !== null && past.first < low) {
    throw new ReplayRefused(
      `usage that the books have read from ${TOPICS.usageEvents}/${partition} at offset ${past.first} and ` +
        "later is past retention, in the topic too: they can no longer be replayed",
    );
  }
  const below = await usageBelow(source, partition, low);
  if (below === null) return;
  throw new ReplayRefused(
    `offsets ${below.first} to ${low - 1n} of ${TOPICS.usageEvents}/${partition} are past the topic's ` +
      `retention, and the books have metered ${below.count} events there: they can no longer be replayed`,
  );
}

async function prepare({ target, migrate }: BooksToReplay, source: Transaction): Promise<void> {
  const problem = await targetProblem(target);
  if (problem !== null) throw new ReplayRefused(inWords(problem));
  await migrate(target);
  const [from, to] = [await listMigrations(source), await listMigrations(target)];
  const missing = to.filter((name) => !from.includes(name));
  const unknown = from.filter((name) => !to.includes(name));
  if (missing.length + unknown.length === 0) return;
  throw new ReplayRefused(
    unknown.length > 0
      ? `the books have migrations that this version does not know: ${unknown.join(", ")}`
      : `the books do not have the migrations ${missing.join(", ")}; ${RUN_SET_UP} first`,
  );
}

function inWords(problem: TargetProblem): string {
  switch (problem.kind) {
    case "foreign_tables":
      return `the database to replay into has tables that are not Drawdown's: ${problem.tables.join(", ")}`;
    case "part_of_a_replay":
      return "the database to replay into holds an unfinished replay; drop it, and replay into an empty one";
    case "not_empty":
      return `the database to replay into is not empty: table ${problem.table} has rows`;
  }
}

function sizeOf(ranges: ReadonlyMap<number, OffsetRange>): bigint {
  return [...ranges.values()].reduce((sum, { from, to }) => sum + to - from, 0n);
}

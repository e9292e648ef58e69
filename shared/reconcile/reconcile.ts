import type { Kafka } from "kafkajs";
import type { RecordDifference, UsageDifference } from "../core/history/verify-usage.ts";
import { TOPICS, USAGE_READER } from "../core/text/topics.ts";
import { readTopicId } from "../kafka/client/topic-id.ts";
import type { Registry } from "../kafka/codec/registry.ts";
import { openUsageDecoder } from "../kafka/codec/usage-decoder.ts";
import { readRanges } from "../kafka/consume/read-ranges.ts";
import { areOfOtherTopic } from "../ledger/books/consumer-offset.ts";
import { readRates } from "../ledger/catalogue/rates.ts";
import { type ChargeCheck, readChargeCheck } from "../ledger/payments/charge-check.ts";
import type { Database, Transaction } from "../ledger/postgres/database.ts";
import { allowWholeTables, readUsageSnapshot } from "../ledger/postgres/read-snapshot.ts";
import { serializeQueries } from "../ledger/postgres/serialize-queries.ts";
import { openRecordLines } from "../ledger/proof/recorded-usage.ts";
import { findRepairs } from "../ledger/proof/repairs.ts";
import { findAccounts } from "../ledger/proof/verify-published.ts";
import { usagePastUntil } from "../ledger/usage/past-usage.ts";
import { compareBooks } from "./compare-books.ts";
import { comparePublications, type PublishedCounts, readTopicEnds } from "./compare-published.ts";
import { PartitionComparison, type UsageCounts } from "./compare-usage.ts";
import { type Cut, CutRefused, cutOf, type Scope } from "./cut.ts";
import {
  accountOf,
  type Difference,
  type Found,
  formerIdOf,
  idOf,
  isAnsweredByEntry,
  type PlacedDifference,
} from "./difference.ts";
import { placeOnLine } from "./place-on-line.ts";

/** What to reconcile, and callbacks for progress. */
export interface Reconciling {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly signal: AbortSignal;
  readonly scope: Scope;
  /** Compare only usage. It can be compared incrementally, so the cost depends on what is new. */
  readonly usageOnly?: boolean;
  /** The most differences to list; the others are only counted. */
  readonly mostListed?: number;
  /** Receives the number of offsets to read. */
  onCut(offsets: bigint): void;
  onRead(offsets: number): void;
}

export interface Reconciliation {
  readonly cut: Cut;
  readonly usage: Readonly<UsageCounts>;
  /** Null: only usage was compared. */
  readonly published: PublishedCounts | null;
  readonly differences: readonly Found[];
  /** How far charges at the gateway were compared; null: only a part of the books was in scope. */
  readonly charges: ChargeCheck | null;
  /** Differences that entries have corrected. */
  readonly answered: number;
  /** Differences that were counted but not listed. */
  readonly more: number;
}

const MOST_LISTED = 10_000;

async function refuseUnknown(transaction: Transaction, { accountId }: Scope): Promise<void> {
  if (accountId === null) return;
  const known = await findAccounts(transaction, [{ accountId }]);
  if (known.size === 0) throw new CutRefused(`there is no account ${accountId}`);
}

/** Of a topic that was made anew, every record would differ, and its repair would be wrong. */
async function refuseOtherTopic(transaction: Transaction, kafka: Kafka): Promise<void> {
  const { topic } = USAGE_READER;
  const id = await readTopicId(kafka, topic);
  if (id === null || !(await areOfOtherTopic(transaction, USAGE_READER, id))) return;
  throw new CutRefused(
    `${topic} was made anew since the books have read it: there is nothing to compare them with`,
  );
}

/**
 * Compares the topics with one snapshot of the books: every usage event that they have read with its
 * record; entries, lots and top-ups with one another; and the records that were published. Reads with
 * consumers of its own, so metering is not disturbed. Throws CutRefused, RangeUnreadable or SchemaLost;
 * the message is one sentence.
 */
export async function reconcile(reconciling: Reconciling): Promise<Reconciliation> {
  const { database, kafka, registry, signal, scope } = reconciling;
  const admin = kafka.admin();
  await admin.connect();
  try {
    const knownBelow = await readTopicEnds(admin);
    return await readUsageSnapshot(database, async (snapshot) => {
      const transaction = serializeQueries(snapshot);
      await allowWholeTables(transaction);
      await refuseOtherTopic(transaction, kafka);
      await refuseUnknown(transaction, scope);
      const cut = await cutOf(transaction, admin, scope);
      reconciling.onCut(
        [...cut.ranges.values()].reduce((sum, { from, to }) => sum + to - from, 0n),
      );
      const most = reconciling.mostListed ?? MOST_LISTED;
      const listed: Difference[] = [];
      let more = 0;
      const onDifference = (difference: Difference) => {
        if (listed.length < most) listed.push(difference);
        else more += 1;
      };
      const usage = await compareUsage(reconciling, transaction, cut, onDifference);
      const context = { transaction, accountId: scope.accountId };
      let published: PublishedCounts | null = null;
      if (reconciling.usageOnly !== true) {
        const topics = { kafka, admin, registry, signal, knownBelow };
        published = await comparePublications({ ...context, ...topics, onDifference });
        signal.throwIfAborted();
      }
      const placed = await placeAll(transaction, listed);
      const open = await unanswered(transaction, placed);
      const isWhole = reconciling.usageOnly !== true && cut.isWhole;
      const books = isWhole ? await compareBooks(context, placed, more > 0) : [];
      const charges = isWhole ? await readChargeCheck(transaction) : null;
      const answered = placed.length - open.length;
      return { cut, usage, published, charges, differences: [...open, ...books], answered, more };
    });
  } finally {
    await admin.disconnect();
  }
}

async function compareUsage(
  { kafka, registry, signal, scope, onRead }: Reconciling,
  transaction: Transaction,
  cut: Cut,
  onDifference: (difference: UsageDifference) => void,
): Promise<UsageCounts> {
  const topic = TOPICS.usageEvents;
  const { accountId } = scope;
  const counts = { messages: 0, metered: 0, repeats: 0, deadLetters: 0, past: 0, credits: 0n };
  const comparison = {
    ...{ transaction, topic, accountId, counts, onDifference },
    decoder: openUsageDecoder(registry),
    rates: await readRates(transaction),
    pastUntil: await usagePastUntil(transaction, null),
  };
  const partitions = new Map<number, PartitionComparison>();
  for (const [partition, range] of cut.ranges) {
    const records = { partition, ...range };
    const lines = await openRecordLines(transaction, records, accountId);
    partitions.set(partition, new PartitionComparison(comparison, records, lines));
  }
  const places = new Map([...cut.ranges].map(([partition, { from }]) => [partition, from]));
  await readRanges(kafka, {
    topic,
    ranges: cut.ranges,
    signal,
    async onBatch({ partition, messages, nextOffset }) {
      await partitions.get(partition)?.compare(messages);
      onRead(Number(nextOffset - (places.get(partition) ?? 0n)));
      places.set(partition, nextOffset);
    },
  });
  for (const partition of partitions.values()) await partition.finish();
  return counts;
}

/** Adds to differences in records their place on the line; leaves the others as they are. */
async function placeAll(transaction: Transaction, listed: readonly Difference[]): Promise<Found[]> {
  const others: Found[] = [];
  const byAccount = new Map<string, RecordDifference[]>();
  for (const difference of listed) {
    if ("event" in difference || "record" in difference) {
      const accountId = accountOf(difference) ?? "";
      byAccount.set(accountId, [...(byAccount.get(accountId) ?? []), difference]);
    } else others.push(difference);
  }
  const placed: Found[] = [];
  for (const [accountId, differences] of byAccount) {
    for (const difference of await placeOnLine(transaction, accountId, differences)) {
      placed.push(...(await split(transaction, difference)));
    }
  }
  return [...placed, ...others];
}

/** The differences without those that the entry of a repair has corrected. */
async function unanswered(transaction: Transaction, found: readonly Found[]): Promise<Found[]> {
  const keysOf = (of: Found) => {
    const accountId = accountOf(of) ?? "";
    return [idOf(of), formerIdOf(of) ?? idOf(of)].map((difference) => ({ accountId, difference }));
  };
  const answerable = found.filter(isAnsweredByEntry);
  const repairs = await findRepairs(transaction, answerable.flatMap(keysOf));
  const isAnswered = (of: Found) =>
    keysOf(of).some(({ accountId, difference }) => repairs.has(`${accountId}/${difference}`));
  return found.filter((of) => !isAnsweredByEntry(of) || !isAnswered(of));
}

/** A record metered on another account is an extra record there and a missing one here. */
async function split(transaction: Transaction, placed: PlacedDifference): Promise<Found[]> {
  if (placed.kind !== "other_account" || placed.onLine !== null) return [placed];
  const { record, event, credits, orMore, costs } = placed;
  const nowhere = { onLine: null, isDrawn: false };
  return [
    ...(await placeOnLine(transaction, record.accountId, [{ kind: "extra_record", record }])),
    { kind: "missing_record", event, credits, orMore, costs, ...nowhere },
  ];
}

import type { Admin, Kafka } from "kafkajs";
import { toAccountId } from "../core/text/text.ts";
import { TOPICS } from "../core/text/topics.ts";
import {
  type BillingRecord,
  openBillingReader,
  type UnreadableRecord as UnreadableOfTopic,
} from "../kafka/codec/billing-records.ts";
import type { Registry } from "../kafka/codec/registry.ts";
import { SCHEMAS, type TopicSchema } from "../kafka/codec/schemas.ts";
import { readRanges } from "../kafka/consume/read-ranges.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import {
  COUNTED_TOPICS,
  type CountedTopic,
  findAccounts,
  readPublishedVersions,
  readRecordCounts,
} from "../ledger/proof/verify-published.ts";
import { type BillingFields, compareEntries } from "./compare-entries.ts";
import type { PublicationDifference } from "./difference.ts";
import { openSequences } from "./seen-sequences.ts";
import { openToldBalances } from "./told-balances.ts";

/** Where each partition of the billing topics ended before the snapshot: the books know all records below. */
export type TopicEnds = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

export interface PublicationComparison {
  readonly kafka: Kafka;
  readonly admin: Pick<Admin, "fetchTopicOffsets">;
  readonly registry: Registry;
  readonly transaction: Transaction;
  readonly signal: AbortSignal;
  /** Null: all accounts. */
  readonly accountId: string | null;
  readonly knownBelow: TopicEnds;
  onDifference(difference: PublicationDifference): void;
}

/** How many records of the billing topics were compared. */
export interface PublishedCounts {
  readonly records: number;
  /** Records that retention has removed from the topics, so that they could not be compared. */
  readonly pastRetention: number;
}

/** Reads where the billing topics end; call it before the snapshot of the books is taken. */
export async function readTopicEnds(admin: Pick<Admin, "fetchTopicOffsets">): Promise<TopicEnds> {
  const ends = new Map<string, ReadonlyMap<number, bigint>>();
  for (const topic of [...COUNTED_TOPICS, TOPICS.balances]) {
    const offsets = await admin.fetchTopicOffsets(topic);
    ends.set(topic, new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)])));
  }
  return ends;
}

/**
 * Compares the billing topics with the books: each entry, low balance, top-up notice and change of a
 * payment was published or waits in the outbox, each published entry equals the one in the books, and each
 * account's newest state is its last on `billing.balances`.
 */
export async function comparePublications(
  comparison: PublicationComparison,
): Promise<PublishedCounts> {
  let records = 0;
  let pastRetention = 0;
  for (const topic of COUNTED_TOPICS) {
    const counted = await compareCounted(comparison, topic);
    records += counted.records;
    pastRetention += counted.pastRetention;
  }
  records += await compareBalances(comparison);
  return { records, pastRetention };
}

async function compareCounted(
  comparison: PublicationComparison,
  topic: CountedTopic,
): Promise<PublishedCounts> {
  const { transaction, accountId, onDifference } = comparison;
  const sequences = openSequences();
  const entries = topic === TOPICS.credits ? compareEntries(transaction, onDifference) : null;
  const { records, isWhole } = await readTopic(comparison, topic, async (record, { isKnown }) => {
    if ("problem" in record) return;
    sequences.add(record);
    if (isKnown) await entries?.add(record);
  });
  await entries?.finish();
  let pastRetention = 0;
  for await (const page of readRecordCounts(transaction, topic, accountId)) {
    for (const { accountId: id, count, firstWaiting } of page) {
      // Records are published in order: those before the first one on the topic were published, too.
      const first = isWhole ? 1n : (sequences.firstOf(id) ?? count + 1n);
      pastRetention += Number(first - 1n);
      const last = firstWaiting === null ? count : firstWaiting - 1n;
      for (const { from, to } of sequences.missing(id, first, last)) {
        onDifference({ kind: "not_told", topic, accountId: toAccountId(id), from, to });
      }
    }
  }
  return { records, pastRetention };
}

/** Returns how many records were compared. */
async function compareBalances(comparison: PublicationComparison): Promise<number> {
  const { transaction, accountId, onDifference } = comparison;
  const told = openToldBalances();
  const { records } = await readTopic(comparison, TOPICS.balances, async (record, place) => {
    const version = "problem" in record ? null : record.sequence;
    told.add(record.accountId, version, place.partition, place.isKnown);
  });
  for await (const page of readPublishedVersions(transaction, accountId)) {
    for (const { accountId: id, version } of page) {
      const difference = told.differenceFrom(id, version);
      if (difference !== null) onDifference(difference);
    }
  }
  return records;
}

/** Counts the records in scope; `isWhole`: the topic still has every record that was ever published. */
async function readTopic(
  comparison: PublicationComparison,
  topic: string,
  onRecord: (
    record: BillingRecord<BillingFields> | Unreadable,
    place: RecordPlace,
  ) => Promise<void>,
): Promise<{ readonly records: number; readonly isWhole: boolean }> {
  const { kafka, admin, registry, signal, knownBelow, accountId, transaction } = comparison;
  const read = openBillingReader<BillingFields>(registry, schemaOf(topic));
  let records = 0;
  const offsets = await admin.fetchTopicOffsets(topic);
  const ranges = new Map(
    offsets.map(({ partition, low, high }) => [partition, { from: BigInt(low), to: BigInt(high) }]),
  );
  await readRanges(kafka, {
    topic,
    ranges,
    signal,
    async onBatch({ partition, messages }) {
      const end = knownBelow.get(topic)?.get(partition) ?? 0n;
      const unreadable: Unreadable[] = [];
      for (const message of messages) {
        const record = await read(message);
        if (accountId !== null && accountId !== record.accountId) continue;
        records += 1;
        const offset = BigInt(message.offset);
        const named = toNamed(record, { topic, partition, offset });
        if (named === null) continue;
        await onRecord(named, { partition, isKnown: offset < end });
        if ("problem" in named) unreadable.push(named);
      }
      const known = await findAccounts(transaction, unreadable);
      for (const record of unreadable.filter((of) => known.has(of.accountId))) {
        comparison.onDifference({ kind: "unreadable_record", ...record });
      }
    },
  });
  return { records, isWhole: offsets.every(({ low }) => low === "0") };
}

interface RecordPlace {
  readonly partition: number;
  /** The books know it: it was published before their snapshot. */
  readonly isKnown: boolean;
}

/** Null: it names no account. */
function toNamed(
  record: BillingRecord<BillingFields> | UnreadableOfTopic,
  place: Pick<Unreadable, "topic" | "partition" | "offset">,
): BillingRecord<BillingFields> | Unreadable | null {
  const { accountId } = record;
  if (accountId === null) return null;
  return "problem" in record ? { ...record, accountId, ...place } : record;
}

type Unreadable = Omit<UnreadableRecord, "kind">;
type UnreadableRecord = Extract<PublicationDifference, { kind: "unreadable_record" }>;

function schemaOf(topic: string): TopicSchema {
  const schema = Object.values(SCHEMAS).find((of) => of.topic === topic);
  if (schema === undefined) throw new Error(`there is no schema for topic ${topic}`);
  return schema;
}

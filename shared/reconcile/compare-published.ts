import type { Admin, Kafka, KafkaMessage } from "kafkajs";
import { toAccountId } from "../core/text/text.ts";
import { TOPICS } from "../core/text/topics.ts";
import type { Registry } from "../kafka/codec/registry.ts";
import { readRanges } from "../kafka/consume/read-ranges.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import {
  COUNTED_TOPICS,
  type CountedTopic,
  findEntries,
  type PublishedEntry,
  readPublishedVersions,
  readRecordCounts,
} from "../ledger/proof/verify-published.ts";
import type { PublicationDifference } from "./difference.ts";

/** Where the billing topics ended before the books were looked at: what is below, they must know. */
export type TopicEnds = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

export interface PublicationComparison {
  readonly kafka: Kafka;
  readonly admin: Pick<Admin, "fetchTopicOffsets">;
  readonly registry: Registry;
  readonly transaction: Transaction;
  readonly signal: AbortSignal;
  readonly accountId: string | null;
  readonly knownBelow: TopicEnds;
  onDifference(difference: PublicationDifference): void;
}

/** How many records of the billing topics were looked at. */
export interface PublishedCounts {
  readonly records: number;
  /** Records that topics no longer have, so that they could not be looked at. */
  readonly pastRetention: number;
}

/** Reads where the billing topics end. Before the books are looked at. */
export async function readTopicEnds(admin: Pick<Admin, "fetchTopicOffsets">): Promise<TopicEnds> {
  const ends = new Map<string, ReadonlyMap<number, bigint>>();
  for (const topic of [...COUNTED_TOPICS, TOPICS.balances]) {
    const offsets = await admin.fetchTopicOffsets(topic);
    ends.set(topic, new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)])));
  }
  return ends;
}

/**
 * Holds what the billing topics tell against the books: each entry, low balance and top-up notice was
 * published or waits in the outbox, each entry says what it was told to say, and each account's newest
 * state is on `billing.balances`.
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

const ENTRIES_AT_ONCE = 1_000;

async function compareCounted(
  comparison: PublicationComparison,
  topic: CountedTopic,
): Promise<PublishedCounts> {
  const sequences = openSequences();
  const entries = topic === TOPICS.credits ? compareEntries(comparison) : null;
  let records = 0;
  const isWhole = await readTopic(comparison, topic, async (message, known) => {
    const told = readHeader(message);
    if (told === null || !isAsked(comparison, told.accountId)) return;
    records += 1;
    sequences.note(told);
    if (known) await entries?.add(message);
  });
  await entries?.finish();
  const pastRetention = await compareSequences(comparison, topic, { sequences, isWhole });
  return { records, pastRetention };
}

/** Returns how many records the topic no longer has. */
async function compareSequences(
  { transaction, accountId, onDifference }: PublicationComparison,
  topic: CountedTopic,
  { sequences, isWhole }: { sequences: ReturnType<typeof openSequences>; isWhole: boolean },
): Promise<number> {
  let pastRetention = 0;
  for await (const page of readRecordCounts(transaction, topic, accountId)) {
    for (const { accountId: id, count, firstWaiting } of page) {
      // Told in order: what is before the first that is still there was told before.
      const first = isWhole ? 1n : (sequences.firstOf(id) ?? count + 1n);
      pastRetention += Number(first - 1n);
      const last = firstWaiting === null ? count : firstWaiting - 1n;
      for (const { from, to } of sequences.missing(id, first, last)) {
        onDifference({ kind: "not_told", topic, ...of(id), from, to });
      }
    }
  }
  return pastRetention;
}

interface Told {
  readonly accountId: string;
  readonly sequence: bigint;
}

/** What was seen of accounts' sequences: all from the first to the last of each but its gaps. */
function openSequences() {
  const seen = new Map<string, { readonly first: bigint; last: bigint }>();
  const gaps = new Map<string, Set<bigint>>();

  return {
    /** They come in order; one that was left out may still come later. */
    note({ accountId, sequence }: Told): void {
      const before = seen.get(accountId);
      if (before === undefined) {
        seen.set(accountId, { first: sequence, last: sequence });
        return;
      }
      if (sequence <= before.last) {
        gaps.get(accountId)?.delete(sequence);
        return;
      }
      for (let left = before.last + 1n; left < sequence; left += 1n) {
        gaps.set(accountId, (gaps.get(accountId) ?? new Set()).add(left));
      }
      before.last = sequence;
    },
    firstOf: (accountId: string) => seen.get(accountId)?.first ?? null,
    /** The stretches of sequences from `from` to `to` that were not seen. */
    missing(accountId: string, from: bigint, to: bigint) {
      const { first, last } = seen.get(accountId) ?? { first: to + 1n, last: to };
      const stretches = [
        { from, to: first - 1n },
        ...[...(gaps.get(accountId) ?? [])].map((gap) => ({ from: gap, to: gap })),
        { from: last + 1n, to },
      ];
      return stretches
        .map((stretch) => ({ from: stretch.from, to: stretch.to < to ? stretch.to : to }))
        .filter((stretch) => stretch.from <= stretch.to);
    },
  };
}

/** Compares entries with what was told of them, many at once. */
function compareEntries({ registry, transaction, onDifference }: PublicationComparison) {
  let waiting: PublishedEntry[] = [];

  async function finish(): Promise<void> {
    const told = waiting;
    waiting = [];
    const held = await findEntries(transaction, told);
    for (const entry of told) {
      const inBooks = held.get(`${entry.accountId}/${entry.sequence}`);
      if (inBooks === undefined) continue;
      const { accountId, sequence } = entry;
      if (inBooks === null) {
        onDifference({ kind: "missing_entry", accountId, sequence, told: entry });
      } else if (!isSame(entry, inBooks)) {
        onDifference({ kind: "other_entry", accountId, told: entry, held: inBooks });
      }
    }
  }

  return {
    async add(message: KafkaMessage): Promise<void> {
      const entry = await readEntry(registry, message);
      if (entry !== null) waiting.push(entry);
      if (waiting.length >= ENTRIES_AT_ONCE) await finish();
    },
    finish,
  };
}

async function compareBalances(comparison: PublicationComparison): Promise<number> {
  const { transaction, accountId, onDifference } = comparison;
  const newest = new Map<string, bigint>();
  let records = 0;
  await readTopic(comparison, TOPICS.balances, async (message) => {
    const told = readHeader(message);
    if (told === null || !isAsked(comparison, told.accountId)) return;
    records += 1;
    if (told.sequence > (newest.get(told.accountId) ?? 0n))
      newest.set(told.accountId, told.sequence);
  });
  for await (const page of readPublishedVersions(transaction, accountId)) {
    for (const { accountId: id, version } of page) {
      if ((newest.get(id) ?? 0n) < version) onDifference({ kind: "balance_not_told", ...of(id) });
    }
  }
  return records;
}

function isAsked({ accountId }: PublicationComparison, told: string): boolean {
  return accountId === null || accountId === told;
}

/** Returns whether the topic still has all that it was ever told. */
async function readTopic(
  { kafka, admin, signal, knownBelow }: PublicationComparison,
  topic: string,
  onMessage: (message: KafkaMessage, known: boolean) => Promise<void>,
): Promise<boolean> {
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
      for (const message of messages) await onMessage(message, BigInt(message.offset) < end);
    },
  });
  return offsets.every(({ low }) => low === "0");
}

function readHeader({
  key,
  headers,
}: KafkaMessage): { accountId: string; sequence: bigint } | null {
  const sequence = headers?.["sequence"]?.toString();
  if (key === null || sequence === undefined || !/^\d{1,19}$/.test(sequence)) return null;
  return { accountId: key.toString(), sequence: BigInt(sequence) };
}

interface CreditsPosted {
  readonly account_id: string;
  readonly sequence: bigint;
  readonly kind: PublishedEntry["kind"];
  readonly credits: bigint;
  readonly balance: bigint;
  readonly lot_id: string | null;
  readonly reference: string;
  readonly due_at: number;
  readonly posted_at: number;
}

async function readEntry(
  registry: Registry,
  { value }: KafkaMessage,
): Promise<PublishedEntry | null> {
  if (value === null) return null;
  const record = (await registry.decode(value)) as CreditsPosted;
  const { sequence, kind, credits, balance, reference } = record;
  return {
    ...{ accountId: toAccountId(record.account_id), sequence, kind, credits, balance },
    ...{ lotId: record.lot_id, reference },
    ...{ dueAt: Number(record.due_at), postedAt: Number(record.posted_at) },
  };
}

function isSame(a: PublishedEntry, b: PublishedEntry): boolean {
  return (
    a.kind === b.kind &&
    a.credits === b.credits &&
    a.balance === b.balance &&
    a.lotId === b.lotId &&
    a.reference === b.reference &&
    a.dueAt === b.dueAt
  );
}

function of(id: string) {
  return { accountId: toAccountId(id) };
}

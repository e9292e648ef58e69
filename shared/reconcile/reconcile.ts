import type { Kafka } from "kafkajs";
import type { RecordDifference, UsageDifference } from "../core/history/verify-usage.ts";
import { toRateCard } from "../core/offer/rate-card.ts";
import { TOPICS } from "../core/text/topics.ts";
import type { Registry } from "../kafka/codec/registry.ts";
import { openUsageDecoder } from "../kafka/codec/usage-decoder.ts";
import { readRanges } from "../kafka/consume/read-ranges.ts";
import { listRates } from "../ledger/catalogue/rates.ts";
import { type ChargeCheck, readChargeCheck } from "../ledger/payments/charges-at-gateway.ts";
import type { Database, Transaction } from "../ledger/postgres/database.ts";
import { allowWholeTables, readSnapshot } from "../ledger/postgres/read-snapshot.ts";
import { serializeQueries } from "../ledger/postgres/serialize-queries.ts";
import { findRepairs } from "../ledger/proof/repairs.ts";
import { compareBooks } from "./compare-books.ts";
import { comparePublications, type PublishedCounts, readTopicEnds } from "./compare-published.ts";
import { comparePartition, type PartitionComparison, type UsageCounts } from "./compare-usage.ts";
import { type Cut, cutOf, type Scope } from "./cut.ts";
import {
  accountOf,
  type Difference,
  type Found,
  idOf,
  isAnsweredByEntry,
  type PlacedDifference,
} from "./difference.ts";
import { placeOnLine } from "./place-on-line.ts";

/** What is reconciled, and who hears how far it is. */
export interface Reconciling {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly signal: AbortSignal;
  readonly scope: Scope;
  /** Only usage: the incremental part, whose cost follows what is new. */
  readonly usageOnly?: boolean;
  /** Differences listed at most; those beyond are counted. */
  readonly mostListed?: number;
  /** How many offsets will be read. */
  onCut(offsets: bigint): void;
  onRead(offsets: number): void;
}

/** What reconciling has found. */
export interface Reconciliation {
  readonly cut: Cut;
  readonly usage: UsageCounts;
  readonly told: PublishedCounts | null;
  readonly differences: readonly Found[];
  /** Up to when charges at the gateway were compared; null: only a part was asked for. */
  readonly charges: ChargeCheck | null;
  /** Differences that entries have answered since. */
  readonly answered: number;
  /** How many more there were than are listed. */
  readonly more: number;
}

/** Differences kept in memory; beyond them they are counted. */
const MOST_LISTED = 10_000;

/**
 * Holds the topics against the books: every usage event against its record, in one state of the books
 * and up to where they have read in it; entries, lots and top-ups among each other; and what was
 * published. Reads with consumers of its own; metering goes on and is not disturbed.
 * Throws CutRefused, RangeUnreadable or SchemaLost with one sentence.
 */
export async function reconcile(reconciling: Reconciling): Promise<Reconciliation> {
  const { database, kafka, registry, signal, scope } = reconciling;
  const admin = kafka.admin();
  await admin.connect();
  try {
    const knownBelow = await readTopicEnds(admin);
    return await readSnapshot(database, async (snapshot) => {
      const transaction = serializeQueries(snapshot);
      await allowWholeTables(transaction);
      const cut = await cutOf(transaction, admin, scope);
      reconciling.onCut(
        [...cut.ranges.values()].reduce((sum, { from, to }) => sum + to - from, 0n),
      );
      const list = openList(reconciling.mostListed ?? MOST_LISTED);
      const usage = await compareUsage(reconciling, transaction, cut, list.add);
      const parts = { transaction, accountId: scope.accountId };
      let told: PublishedCounts | null = null;
      if (reconciling.usageOnly !== true) {
        const what = { ...parts, kafka, admin, registry, signal, knownBelow };
        told = await comparePublications({ ...what, onDifference: list.add });
        signal.throwIfAborted();
      }
      const placed = await placeAll(transaction, list.listed);
      const open = await unanswered(transaction, placed);
      const isWhole = reconciling.usageOnly !== true && cut.isWhole;
      const books = isWhole ? await compareBooks(parts, placed, list.more > 0) : [];
      const charges = isWhole ? await readChargeCheck(transaction) : null;
      const answered = placed.length - open.length;
      const differences = [...open, ...books];
      return { cut, usage, told, charges, differences, answered, more: list.more };
    });
  } finally {
    await admin.disconnect();
  }
}

interface List {
  readonly listed: readonly Difference[];
  readonly more: number;
  add(difference: Difference): void;
}

function openList(most: number): List {
  const listed: Difference[] = [];
  let more = 0;
  return {
    listed,
    get more() {
      return more;
    },
    add(difference) {
      if (listed.length < most) listed.push(difference);
      else more += 1;
    },
  };
}

async function compareUsage(
  { kafka, registry, signal, scope, onRead }: Reconciling,
  transaction: Transaction,
  cut: Cut,
  onDifference: (difference: UsageDifference) => void,
): Promise<UsageCounts> {
  const topic = TOPICS.usageEvents;
  const comparison = {
    ...{ transaction, topic, onDifference, accountId: scope.accountId },
    decoder: openUsageDecoder(registry),
    rates: toRateCard(await listRates(transaction)),
  };
  const partitions = new Map<number, PartitionComparison>();
  for (const [partition, range] of cut.ranges) {
    partitions.set(partition, await comparePartition(comparison, { partition, ...range }));
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
  const counts: UsageCounts[] = [];
  for (const one of partitions.values()) counts.push(await one.finish());
  return counts.reduce(addUp, NOTHING_COUNTED);
}

const NOTHING_COUNTED: UsageCounts = {
  messages: 0,
  metered: 0,
  repeats: 0,
  deadLetters: 0,
  credits: 0n,
};

function addUp(a: UsageCounts, b: UsageCounts): UsageCounts {
  return {
    messages: a.messages + b.messages,
    metered: a.metered + b.metered,
    repeats: a.repeats + b.repeats,
    deadLetters: a.deadLetters + b.deadLetters,
    credits: a.credits + b.credits,
  };
}

/** Differences of records with where their events stand on the line; the others as they are. */
async function placeAll(transaction: Transaction, listed: readonly Difference[]): Promise<Found[]> {
  const others: Found[] = [];
  const byAccount = new Map<string, RecordDifference[]>();
  for (const difference of listed) {
    if (!isOfRecord(difference)) {
      others.push(difference);
      continue;
    }
    const accountId = accountOf(difference) ?? "";
    byAccount.set(accountId, [...(byAccount.get(accountId) ?? []), difference]);
  }
  const placed: Found[] = [];
  for (const [accountId, differences] of byAccount) {
    for (const one of await placeOnLine(transaction, accountId, differences)) {
      placed.push(...(await split(transaction, one)));
    }
  }
  return [...placed, ...others];
}

/** The differences without those that a repair has answered by an entry. */
async function unanswered(transaction: Transaction, found: readonly Found[]): Promise<Found[]> {
  const named = (one: Found) => ({ accountId: accountOf(one) ?? "", difference: idOf(one) });
  const repairs = await findRepairs(transaction, found.filter(isAnsweredByEntry).map(named));
  return found.filter((one) => {
    const { accountId, difference } = named(one);
    return !isAnsweredByEntry(one) || !repairs.has(`${accountId}/${difference}`);
  });
}

/** A record that was metered on another account is one too many there and one that is missing here. */
async function split(transaction: Transaction, placed: PlacedDifference): Promise<Found[]> {
  if (placed.kind !== "other_account" || placed.onLine !== null) return [placed];
  const { record, event, credits } = placed;
  const nowhere = { onLine: null, isDrawn: false };
  return [
    ...(await placeOnLine(transaction, record.accountId, [{ kind: "extra_record", record }])),
    { kind: "missing_record", event, credits, ...nowhere },
  ];
}

function isOfRecord(difference: Difference): difference is RecordDifference {
  return "event" in difference || "record" in difference;
}

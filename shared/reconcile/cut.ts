import type { Admin } from "kafkajs";
import type { AccountId, Instant } from "../core/line/account.ts";
import { TOPICS, USAGE_READER } from "../core/text/topics.ts";
import { type PartitionEnds, readPartitionEnds } from "../kafka/client/partition-ends.ts";
import type { OffsetRange } from "../kafka/consume/read-ranges.ts";
import { readOffsets } from "../ledger/books/consumer-offset.ts";
import { queryRow, type Transaction } from "../ledger/postgres/database.ts";
import { countRecordsBelow, type RecordsBelow } from "../ledger/proof/count-records-below.ts";
import {
  type PastUsage,
  pastPartitions,
  pastUsageOf,
  usagePastUntil,
} from "../ledger/usage/past-usage.ts";

/** A bound of what is compared: an offset, an instant of publication, or an offset for each partition. */
export type Bound =
  | { readonly kind: "offset"; readonly offset: bigint }
  | { readonly kind: "instant"; readonly at: Instant }
  | { readonly kind: "places"; readonly places: ReadonlyMap<number, bigint> };

/** The part of the usage topic to compare; null: all that the books have read. */
export interface Scope {
  readonly accountId: AccountId | null;
  readonly partition: number | null;
  readonly from: Bound | null;
  readonly to: Bound | null;
}

export const EVERYTHING: Scope = { accountId: null, partition: null, from: null, to: null };

/** The state of topic and books that is compared. */
export interface Cut {
  /** By the clock of Postgres. */
  readonly at: Instant;
  /** The offsets to read, by partition. */
  readonly ranges: ReadonlyMap<number, OffsetRange>;
  /** True: the ranges are all that the books have read. */
  readonly isWhole: boolean;
  /** Messages that the books have not read yet. */
  readonly unread: bigint;
  /** Records whose messages retention has removed from the topic, so that they cannot be verified. */
  readonly pastRetention: RecordsBelow;
  /** Usage in scope that the books do not keep any more; null: none. */
  readonly dropped: DroppedUsage | null;
}

/** Usage that is past retention in the books, all of it from before an instant. */
export interface DroppedUsage extends PastUsage {
  readonly until: Instant;
}

/** The requested scope cannot be compared; the message is one sentence. */
export class CutRefused extends Error {}

/**
 * Resolves a scope in the state that the transaction sees: each partition up to the offset that the
 * books have read. Throws CutRefused.
 */
export async function cutOf(
  transaction: Transaction,
  admin: Pick<Admin, "fetchTopicOffsets" | "fetchTopicOffsetsByTimestamp">,
  scope: Scope,
): Promise<Cut> {
  const topic = TOPICS.usageEvents;
  const offsets = await readOffsets(transaction, USAGE_READER);
  const all = await readPartitionEnds(admin);
  const ends = all.filter(
    ({ partition }) => scope.partition === null || scope.partition === partition,
  );
  if (ends.length === 0) throw new CutRefused(`${topic} has no partition ${scope.partition}`);
  const [froms, tos] = [await boundsOf(admin, scope.from), await boundsOf(admin, scope.to)];
  const past = new Map((await pastPartitions(transaction)).map((each) => [each.partition, each]));
  const bounds = ends.map((end) => {
    const { partition } = end;
    const read = readUpTo(end, offsets.get(partition));
    // Below it, nothing can be compared.
    const low = most(end.low, past.get(partition)?.next ?? 0n);
    const to = least(tos(partition) ?? read, read);
    return { ...end, low, read, from: froms(partition) ?? 0n, to: to < low ? low : to };
  });
  const ranges = new Map(
    bounds.map(({ partition, low, from, to }) => {
      return [partition, { from: least(from < low ? low : from, to), to }];
    }),
  );
  const isLimited = scope.to !== null || (scope.from !== null && scope.from.kind !== "places");
  if (isLimited && [...ranges.values()].every(({ from, to }) => from === to)) {
    const available = bounds.map(({ partition, low, read }) => {
      return `${topic}/${partition} from ${low} to ${read}`;
    });
    throw new CutRefused(
      `nothing lies between --from and --to; available: ${available.join(", ")}`,
    );
  }
  const gone = bounds.flatMap(({ partition, low, from }) => {
    return from < low ? [[partition, { from, to: low }] as const] : [];
  });
  return {
    at: await readClock(transaction),
    ranges,
    isWhole: scope.partition === null && scope.from === null && scope.to === null,
    unread: bounds.reduce((sum, { high, read }) => sum + high - read, 0n),
    pastRetention: await countRecordsBelow(transaction, new Map(gone), scope.accountId),
    dropped: await droppedOf(
      transaction,
      bounds.flatMap(({ partition, from }) => {
        const dropped = past.get(partition);
        return dropped !== undefined && from < dropped.next ? [dropped] : [];
      }),
      scope.accountId,
    ),
  };
}

/** The usage of partitions that is past retention; of one account, or of all (null). */
async function droppedOf(
  transaction: Transaction,
  partitions: readonly PastUsage[],
  accountId: AccountId | null,
): Promise<DroppedUsage | null> {
  const until = await usagePastUntil(transaction, accountId);
  if (until === null || partitions.length === 0) return null;
  if (accountId !== null) return { ...(await pastUsageOf(transaction, accountId)), until };
  const sumOf = (what: keyof PastUsage) => partitions.reduce((sum, each) => sum + each[what], 0n);
  return { events: sumOf("events"), credits: sumOf("credits"), until };
}

/** The offset up to which the books have read a partition, at least `low`. */
function readUpTo({ partition, low, high }: PartitionEnds, offset: bigint | undefined): bigint {
  const read = offset ?? low;
  if (read <= high) return read < low ? low : read;
  throw new CutRefused(
    `${TOPICS.usageEvents}/${partition} ends at ${high}, but the books have read up to ${read}: ` +
      "this is not the topic that the books were kept from",
  );
}

async function readClock(transaction: Transaction): Promise<Instant> {
  const text = "SELECT transaction_timestamp() AS now";
  const row = await queryRow<{ now: Instant }>(transaction, text);
  if (row === null) throw new Error("Postgres returned no time");
  return row.now;
}

/** Returns a function that gives the bound of a partition; null: the partition is not bounded. */
async function boundsOf(
  admin: Pick<Admin, "fetchTopicOffsetsByTimestamp">,
  bound: Bound | null,
): Promise<(partition: number) => bigint | null> {
  switch (bound?.kind) {
    case undefined:
      return () => null;
    case "offset":
      return () => bound.offset;
    case "places":
      return (partition) => bound.places.get(partition) ?? null;
    case "instant": {
      const found = await admin.fetchTopicOffsetsByTimestamp(TOPICS.usageEvents, bound.at);
      const offsets = new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]));
      return (partition) => offsets.get(partition) ?? null;
    }
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

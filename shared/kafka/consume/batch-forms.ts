import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import {
  eachMessage,
  type HandMessages,
  recordsOf,
  wholeBatch,
} from "../records/handed-messages.ts";
import type { RecordTable } from "../records/record-table.ts";

type Fetched = EachBatchPayload["batch"];

/** Offsets of one partition that were read together. */
export interface OffsetStretch {
  readonly topic: string;
  readonly partition: number;
  /** The requested offset: there are no other messages between it and the first one. */
  readonly fetchedFrom: bigint;
  /** The first offset after the batch; offsets need not be contiguous. */
  readonly nextOffset: bigint;
  /** One past the last offset of the partition when the batch was fetched. */
  readonly highWatermark: bigint;
}

/** Messages of one partition, in offset order; empty where the offsets have no messages. */
export interface MessageBatch extends OffsetStretch {
  readonly messages: readonly KafkaMessage[];
}

/** The same, with records that are still bytes. */
export interface RecordsBatch extends OffsetStretch {
  readonly slices: readonly RecordSlice[];
  /** Of all slices. */
  readonly count: number;
}

/** Records `[from, to)` of a batch as it is in the log. */
export interface RecordSlice {
  readonly records: RecordTable;
  readonly from: number;
  readonly to: number;
}

/** In what form a consumer receives what it fetches. */
export interface BatchForm<B extends OffsetStretch> {
  readonly hand: HandMessages;
  /** Divides a fetch into batches of at most `size` messages. */
  split(fetched: Fetched, size: number): Generator<B>;
  /** What of a batch has these offsets. */
  only(batch: B, isKept: (offset: number) => boolean): B;
  empty(stretch: OffsetStretch): B;
}

/** Message by message. */
export const MESSAGES: BatchForm<MessageBatch> = {
  hand: eachMessage,
  empty: (stretch) => ({ ...stretch, messages: [] }),
  only: (batch, isKept) => ({
    ...batch,
    messages: batch.messages.filter(({ offset }) => isKept(Number(offset))),
  }),
  *split(fetched, size) {
    const { topic, partition, messages } = fetched;
    const highWatermark = BigInt(fetched.highWatermark);
    let fetchedFrom = fetchedOffsetOf(fetched);
    for (let at = 0; at < messages.length; at += size) {
      const rest = messages[at + size];
      const nextOffset = rest === undefined ? endOf(fetched) : BigInt(rest.offset);
      const part = messages.slice(at, at + size);
      yield { topic, partition, fetchedFrom, messages: part, nextOffset, highWatermark };
      fetchedFrom = nextOffset;
    }
  },
};

/** Without an object for each message. */
export const RECORDS: BatchForm<RecordsBatch> = {
  hand: wholeBatch,
  empty: (stretch) => ({ ...stretch, slices: [], count: 0 }),
  only(batch, isKept) {
    const slices = batch.slices.flatMap((slice) => stretchesOf(slice, isKept));
    return { ...batch, slices, count: slices.reduce((sum, { from, to }) => sum + to - from, 0) };
  },
  *split(fetched, size) {
    const { topic, partition } = fetched;
    const highWatermark = BigInt(fetched.highWatermark);
    let fetchedFrom = fetchedOffsetOf(fetched);
    let slices: RecordSlice[] = [];
    let count = 0;
    for (const message of fetched.messages) {
      const records = recordsOf(message);
      let from = firstAt(records, fetchedFrom);
      while (from < records.count) {
        if (count === size) {
          const nextOffset = BigInt(records.offsets[from] ?? 0);
          yield { topic, partition, fetchedFrom, slices, count, nextOffset, highWatermark };
          fetchedFrom = nextOffset;
          slices = [];
          count = 0;
        }
        const to = Math.min(records.count, from + size - count);
        slices.push({ records, from, to });
        count += to - from;
        from = to;
      }
    }
    const nextOffset = endOf(fetched);
    yield { topic, partition, fetchedFrom, slices, count, nextOffset, highWatermark };
  },
};

/** The stretches of a slice in which every record is kept. */
function stretchesOf(
  { records, from, to }: RecordSlice,
  isKept: (offset: number) => boolean,
): RecordSlice[] {
  const stretches: RecordSlice[] = [];
  let first = from;
  for (let index = from; index <= to; index += 1) {
    if (index < to && isKept(records.offsets[index] ?? 0)) continue;
    if (first < index) stretches.push({ records, from: first, to: index });
    first = index + 1;
  }
  return stretches;
}

/** A fetch that begins within a batch brings the records before it too. */
function firstAt({ offsets, count }: RecordTable, fetchedFrom: bigint): number {
  const first = Number(fetchedFrom);
  let index = 0;
  while (index < count && (offsets[index] ?? 0) < first) index += 1;
  return index;
}

function endOf(fetched: Fetched): bigint {
  return BigInt(fetched.lastOffset()) + 1n;
}

/** The requested offset, which is missing in the types of KafkaJS. */
function fetchedOffsetOf(batch: Fetched): bigint {
  const { fetchedOffset } = batch as Fetched & { fetchedOffset: string };
  return BigInt(fetchedOffset);
}

import { countOf, countText } from "../../core/text/text.ts";
import { lastMessage, type RecordBatch } from "./record-batch.ts";
import { findRecords, type RecordTable, tableOf } from "./record-table.ts";
import { markRefused } from "./refused-batch.ts";
import { CODECS, unpack } from "./unpack.ts";

/** What is read, whatever producers send. */
export interface ReadLimits {
  /** Of one batch. Records and headers are counted apart. */
  readonly batchBytes: number;
  readonly batchRecords: number;
  /** Of one response; what is left of it is fetched again. Records and headers are counted together. */
  readonly responseBytes: number;
  readonly responseRecords: number;
}

/**
 * Kafka's producers bound a batch before or after it is compressed, to a megabyte or less unless they are
 * set otherwise, and usage seldom unpacks to more than ten times its size.
 */
export const READ_LIMITS: ReadLimits = {
  batchBytes: 32 << 20,
  batchRecords: 500_000,
  responseBytes: 64 << 20,
  responseRecords: 500_000,
};

export interface ReadBatch {
  readonly records: RecordTable;
  /** What it took to read them. */
  readonly spent: { readonly bytes: number; readonly records: number };
  /** Why none of the batch's messages can be read. */
  readonly refusal: string | null;
}

const CODEC_MASK = 0x07;
const FORMAT = 2;
const SMALLER = "publish them again in smaller batches";
const ANOTHER_WAY = "publish them again, with another compression if it happens again";

/**
 * Reads the records of a batch, or refuses all of them: then one message, at the batch's last offset, has
 * the batch's bytes as its value and is marked (`refusalOf`).
 */
export async function readBatch(batch: RecordBatch, limits: ReadLimits): Promise<ReadBatch> {
  const codec = CODECS[batch.attributes & CODEC_MASK];
  if (batch.magic !== FORMAT) {
    return refuse(`it is in message format ${batch.magic}, which Kafka 4 no longer takes`, SMALLER);
  }
  if (codec === undefined) return refuse("its compression is unknown", ANOTHER_WAY);
  if (batch.count > limits.batchRecords) {
    return refuse(`more than ${countText(limits.batchRecords)} messages are too many`, SMALLER);
  }
  if (codec === "none") return read(batch.records, 0);
  const result = await unpack(codec, batch.records, limits.batchBytes);
  switch (result.kind) {
    case "unpacked":
      return read(result.bytes, result.spent);
    case "too_large":
      return refuse(
        `it unpacks to more than ${countText(limits.batchBytes)} bytes`,
        SMALLER,
        result.spent,
      );
    case "malformed":
      return refuse(result.why, ANOTHER_WAY);
  }

  function read(records: Buffer, bytes: number): ReadBatch {
    try {
      const { table, headers } = findRecords(batch, records, limits.batchRecords);
      // A batch of which compaction has kept nothing takes its time too.
      const spent = { bytes, records: Math.max(1, table.count) + headers };
      return { records: table, spent, refusal: null };
    } catch (error) {
      return refuse((error as Error).message, ANOTHER_WAY, bytes);
    }
  }

  function refuse(why: string, advice: string, bytes = 0): ReadBatch {
    const { firstOffset, lastOffset, count, records } = batch;
    const packed = codec === undefined || codec === "none" ? "" : ` compressed with ${codec}`;
    const refusal = `the batch${packed} of ${countOf(count, "message")}, offsets ${firstOffset} to ${lastOffset}, cannot be read: ${why}; ${advice}`;
    markRefused(records, refusal);
    const message = lastMessage(batch, { value: records, isControlRecord: false });
    return { records: tableOf(message), spent: { bytes, records: 1 }, refusal };
  }
}

/** Of a batch with too many, the one that stands for them. */
export function recordsToRead({ count }: RecordBatch, { batchRecords }: ReadLimits): number {
  return count > batchRecords ? 1 : count;
}

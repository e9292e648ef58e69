import type { KafkaMessage } from "kafkajs";
import type { EventNames } from "../../core/usage/usage-columns.ts";
import type { UsageRun } from "../../ledger/usage/batch.ts";
import type { DeadLetter } from "../../ledger/usage/dead-letters.ts";
import { HEADER_BYTES } from "../codec/schemas.ts";
import type { UsageDecoder, UsageLayout } from "../codec/usage-decoder.ts";
import { UsageWriter } from "../codec/usage-writer.ts";
import type { RecordTable } from "../records/record-table.ts";
import type { RecordSlice, RecordsBatch } from "./batch-forms.ts";
import type { DecodedUsage } from "./decode-messages.ts";
import { NOTHING, type Reading, readMessage } from "./read-message.ts";

/**
 * Decodes batches into columns of events to meter and dead letters, the same as `decodeMessages` of their
 * messages. Call `decoder.learn` with `valueOfEachSchema` first.
 */
export function decodeColumns(
  batches: readonly RecordsBatch[],
  names: EventNames,
  reading: Reading,
): DecodedUsage {
  const most = batches.reduce((sum, { count }) => sum + count, 0);
  const writer = new UsageWriter(most, names, reading.now, reading.window);
  const layoutOf = layoutBySchema(reading.decoder);
  const runs = batches.map((batch): UsageRun => {
    const { partition, fetchedFrom, nextOffset } = batch;
    const from = writer.count;
    const deadLetters: DeadLetter[] = [];
    for (const { records, from: first, to } of batch.slices) {
      for (let index = first; index < to; index += 1) {
        if (!put(records, index, partition)) putPlain(records.message(index));
      }
    }
    const messageAt = messageFinder(batch);
    const to = writer.count;
    return { partition, fetchedFrom, nextOffset, from, to, deadLetters, messageAt };

    function putPlain(message: KafkaMessage): void {
      const read = readMessage(batch, message, reading);
      if ("rejection" in read) {
        deadLetters.push(read);
        return;
      }
      writer.putPlain(read);
    }
  });
  return { columns: writer.finish(), runs };

  function put(records: RecordTable, index: number, partition: number): boolean {
    const from = records.valueAt[index] ?? -1;
    const end = records.valueEnd[index] ?? -1;
    const { bytes } = records;
    const layout = layoutOf(schemaIdAt(bytes, from, end));
    if (layout === null) return false;
    const offset = records.offsets[index] ?? 0;
    return writer.put({ bytes, from: from + HEADER_BYTES, end, layout }, partition, offset);
  }
}

/** A value of each schema in the batches, and those of all records that name none. */
export function valueOfEachSchema(batches: readonly RecordsBatch[]): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  const seen = new Set<number>();
  for (const slice of batches.flatMap(({ slices }) => slices)) addValues(slice, seen, values);
  return values;
}

function addValues(
  { records, from, to }: RecordSlice,
  seen: Set<number>,
  values: (Buffer | null)[],
): void {
  for (let index = from; index < to; index += 1) {
    const at = records.valueAt[index] ?? -1;
    const end = records.valueEnd[index] ?? -1;
    const id = schemaIdAt(records.bytes, at, end);
    if (seen.has(id)) continue;
    if (id !== NO_SCHEMA) seen.add(id);
    values.push(at < 0 ? records.message(index).value : records.bytes.subarray(at, end));
  }
}

const NO_SCHEMA = -1;

/** The schema that the value at `[from, end)` names; -1: none. */
function schemaIdAt(bytes: Buffer, from: number, end: number): number {
  if (from < 0 || end - from < HEADER_BYTES || bytes[from] !== 0) return NO_SCHEMA;
  return Math.max(NO_SCHEMA, bytes.readInt32BE(from + 1));
}

/** Most records have the schema of the one before. */
function layoutBySchema(decoder: UsageDecoder): (id: number) => UsageLayout | null {
  let last: { readonly id: number; readonly layout: UsageLayout | null } = {
    id: NO_SCHEMA,
    layout: null,
  };
  return (id) => {
    if (id !== last.id) last = { id, layout: decoder.layoutOf(id) };
    return last.layout;
  };
}

function messageFinder({ slices }: RecordsBatch): UsageRun["messageAt"] {
  return (offset) => {
    const message = messageAt(slices, offset);
    return { key: message?.key ?? null, value: message?.value ?? NOTHING };
  };
}

/** The message at an offset; null: there is none. */
export function messageAt(slices: RecordsBatch["slices"], offset: bigint): KafkaMessage | null {
  for (const { records, from, to } of slices) {
    const index = placeOf(Number(offset), records.offsets, from, to);
    if (index !== null) return records.message(index);
  }
  return null;
}

/** The place in `[from, to)` at which an ascending column has a number; null: it has not. */
function placeOf(number: number, column: Float64Array, from: number, to: number): number | null {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((column[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low < to && column[low] === number ? low : null;
}

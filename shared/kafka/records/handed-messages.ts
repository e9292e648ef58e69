import type { ReadBatch } from "./read-batch.ts";
import { type FetchedMessage, isControl, lastMessage, type RecordBatch } from "./record-batch.ts";
import type { RecordTable } from "./record-table.ts";

/** What KafkaJS is handed of a batch; null: nothing of it may be seen. */
export type HandMessages = (batch: RecordBatch, read: ReadBatch | null) => FetchedMessage[];

/** Each message, and what moves KafkaJS on behind the last one. */
export const eachMessage: HandMessages = (batch, read) => {
  const messages: FetchedMessage[] = [];
  const records = read?.records;
  for (let index = 0; index < (records?.count ?? 0); index += 1) {
    if (records !== undefined) messages.push(records.message(index));
  }
  // Compaction may have removed the last records, or all.
  if (messages.at(-1)?.offset !== batch.lastOffset.toString()) messages.push(nothingOf(batch));
  return messages;
};

/** One message for all of a batch, at its last offset: `recordsOf` has its records. */
export const wholeBatch: HandMessages = (batch, read) => {
  if (read === null || read.records.count === 0) return [nothingOf(batch)];
  if (isControl(batch) && read.refusal === null) return [nothingOf(batch)];
  const message = lastMessage(batch, { value: null, isControlRecord: false });
  tables.set(message, read.records);
  return [message];
};

const tables = new WeakMap<object, RecordTable>();

/** The records for which a message of `wholeBatch` stands. */
export function recordsOf(message: object): RecordTable {
  const records = tables.get(message);
  if (records === undefined) throw new Error("KafkaJS hands on another message than it was given");
  return records;
}

function nothingOf(batch: RecordBatch): FetchedMessage {
  return lastMessage(batch, { value: null, isControlRecord: true });
}

import type { KafkaMessage } from "kafkajs";
import { plainColumns, type UsageColumns } from "../../core/usage/usage-columns.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { UsageRun } from "../../ledger/usage/batch.ts";
import type { DeadLetter } from "../../ledger/usage/dead-letters.ts";
import type { MessageBatch } from "./batch-forms.ts";
import { NOTHING, type Reading, readMessage } from "./read-message.ts";

/** Events to meter, and for each batch its run of them with the dead letters. */
export interface DecodedUsage {
  readonly columns: UsageColumns;
  readonly runs: readonly UsageRun[];
}

/** Decodes batches message by message. Call `decoder.learn` first. */
export function decodeMessages(batches: readonly MessageBatch[], reading: Reading): DecodedUsage {
  const events: ReceivedEvent[] = [];
  const runs = batches.map((batch): UsageRun => {
    const { partition, fetchedFrom, nextOffset } = batch;
    const from = events.length;
    const deadLetters: DeadLetter[] = [];
    for (const message of batch.messages) {
      const read = readMessage(batch, message, reading);
      if ("rejection" in read) {
        deadLetters.push(read);
        continue;
      }
      events.push(read);
    }
    const messageAt = messageFinder(batch.messages);
    const to = events.length;
    return { partition, fetchedFrom, nextOffset, from, to, deadLetters, messageAt };
  });
  return { columns: plainColumns(events), runs };
}

function messageFinder(messages: readonly KafkaMessage[]): UsageRun["messageAt"] {
  let byOffset: Map<string, KafkaMessage> | null = null;
  return (offset) => {
    byOffset ??= new Map(messages.map((message) => [message.offset, message]));
    const message = byOffset.get(offset.toString());
    return { key: message?.key ?? null, value: message?.value ?? NOTHING };
  };
}

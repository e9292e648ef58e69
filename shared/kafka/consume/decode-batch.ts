import type { KafkaMessage } from "kafkajs";
import { placeText } from "../../core/usage/dead-letter-place.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import type { UsageRun } from "../../ledger/usage/batch.ts";
import type { DeadLetter } from "../../ledger/usage/dead-letters.ts";
import type { MessageBatch } from "./batch-forms.ts";
import { NOTHING, type Reading, readMessage } from "./read-message.ts";

/** Decodes a batch into events to meter and dead letters. Call `decoder.learn` first. */
export function decodeBatch(batch: MessageBatch, reading: Reading): UsageRun {
  const events: ReceivedEvent[] = [];
  const old: ReceivedEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const message of batch.messages) {
    const read = readMessage(batch, message, reading);
    if ("rejection" in read) {
      deadLetters.push(read);
      continue;
    }
    events.push(read);
    if (reading.retries?.has(placeText({ ...batch, offset: read.offset }))) old.push(read);
  }
  return {
    partition: batch.partition,
    fetchedFrom: batch.fetchedFrom,
    nextOffset: batch.nextOffset,
    events,
    old,
    deadLetters,
    messageAt: messageFinder(batch.messages),
  };
}

function messageFinder(messages: readonly KafkaMessage[]): UsageRun["messageAt"] {
  let byOffset: Map<string, KafkaMessage> | null = null;
  return (offset) => {
    byOffset ??= new Map(messages.map((message) => [message.offset, message]));
    const message = byOffset.get(offset.toString());
    return { key: message?.key ?? null, value: message?.value ?? NOTHING };
  };
}

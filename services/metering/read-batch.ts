import type { KafkaMessage } from "kafkajs";
import type { Instant } from "../../shared/core/account.ts";
import { idProblem } from "../../shared/core/text.ts";
import { type EventWindow, rejectEvent } from "../../shared/core/usage-event.ts";
import type { MessageBatch } from "../../shared/kafka/batch-consumer.ts";
import type { UsageDecoder } from "../../shared/kafka/usage-decoder.ts";
import type { DeadLetter } from "../../shared/ledger/dead-letters.ts";
import type { UsageBatch } from "../../shared/ledger/debit-usage.ts";
import type { ReceivedEvent } from "../../shared/ledger/usage-records.ts";

const NOTHING = Buffer.alloc(0);

/** Decodes a batch of messages into events fit for metering and dead letters. Call `decoder.learn` first. */
export function readBatch(
  batch: MessageBatch,
  decoder: UsageDecoder,
  consumer: string,
  now: Instant,
  window: EventWindow,
): Omit<UsageBatch, "expectRepeats"> {
  const events: ReceivedEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const message of batch.messages) {
    const read = decoder.decode(message.value);
    const rejection = "reason" in read ? read : rejectEvent(read, now, window);
    if (rejection === null && !("reason" in read)) {
      events.push({ ...read, offset: BigInt(message.offset) });
    } else if (rejection !== null) {
      deadLetters.push({
        topic: batch.topic,
        partition: batch.partition,
        offset: BigInt(message.offset),
        accountId: "reason" in read ? null : storableId(read.accountId),
        rejection,
        key: message.key,
        payload: message.value ?? NOTHING,
        recordedAt: now,
      });
    }
  }
  return {
    place: { consumer, topic: batch.topic, partition: batch.partition },
    fetchedFrom: batch.fetchedFrom,
    nextOffset: batch.nextOffset,
    now,
    events,
    deadLetters,
    messageAt: messageFinder(batch.messages),
  };
}

function storableId(accountId: string): string | null {
  return idProblem("account_id", accountId) === null ? accountId : null;
}

function messageFinder(messages: readonly KafkaMessage[]): UsageBatch["messageAt"] {
  let byOffset: Map<string, KafkaMessage> | null = null;
  return (offset) => {
    byOffset ??= new Map(messages.map((message) => [message.offset, message]));
    const message = byOffset.get(offset.toString());
    return { key: message?.key ?? null, value: message?.value ?? NOTHING };
  };
}

import type { KafkaMessage } from "kafkajs";
import type { Instant } from "../../shared/core/account.ts";
import { idProblem } from "../../shared/core/text.ts";
import {
  type EventWindow,
  type ReceivedEvent,
  type Rejection,
  rejectEvent,
} from "../../shared/core/usage-event.ts";
import type { MessageBatch } from "../../shared/kafka/batch-consumer.ts";
import type { UsageDecoder } from "../../shared/kafka/usage-decoder.ts";
import type { DeadLetter } from "../../shared/ledger/dead-letters.ts";
import type { UsageRun } from "../../shared/ledger/usage-batch.ts";

const NOTHING = Buffer.alloc(0);

/** Decodes a batch of messages into events fit for metering and dead letters. Call `decoder.learn` first. */
export function readBatch(
  batch: MessageBatch,
  decoder: UsageDecoder,
  now: Instant,
  window: EventWindow,
): UsageRun {
  const { topic, partition } = batch;
  const events: ReceivedEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const message of batch.messages) {
    const offset = BigInt(message.offset);
    const read = decoder.decode(message.value, partition, offset);
    if ("reason" in read) {
      bury(message, offset, null, read);
      continue;
    }
    const rejection = rejectEvent(read, now, window);
    if (rejection === null) events.push(read);
    else bury(message, offset, storableId(read.accountId), rejection);
  }
  return {
    partition,
    fetchedFrom: batch.fetchedFrom,
    nextOffset: batch.nextOffset,
    events,
    deadLetters,
    messageAt: messageFinder(batch.messages),
  };

  function bury(
    { key, value }: KafkaMessage,
    offset: bigint,
    accountId: string | null,
    rejection: Rejection,
  ) {
    const payload = value ?? NOTHING;
    deadLetters.push({
      topic,
      partition,
      offset,
      accountId,
      rejection,
      key,
      payload,
      recordedAt: now,
    });
  }
}

function storableId(accountId: string): string | null {
  return idProblem("account_id", accountId) === null ? accountId : null;
}

function messageFinder(messages: readonly KafkaMessage[]): UsageRun["messageAt"] {
  let byOffset: Map<string, KafkaMessage> | null = null;
  return (offset) => {
    byOffset ??= new Map(messages.map((message) => [message.offset, message]));
    const message = byOffset.get(offset.toString());
    return { key: message?.key ?? null, value: message?.value ?? NOTHING };
  };
}

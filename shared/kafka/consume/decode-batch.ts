import type { KafkaMessage } from "kafkajs";
import type { Instant } from "../../core/line/account.ts";
import { idProblem } from "../../core/text/text.ts";
import {
  type EventWindow,
  type ReceivedEvent,
  type Rejection,
  rejectEvent,
  type UsageEvent,
  windowOfRetry,
} from "../../core/usage/usage-event.ts";
import type { UsageRun } from "../../ledger/usage/batch.ts";
import type { DeadLetter } from "../../ledger/usage/dead-letters.ts";
import type { UsageDecoder } from "../codec/usage-decoder.ts";
import type { MessageBatch } from "./batch-forms.ts";

const NOTHING = Buffer.alloc(0);

const NO_RETRIES: ReadonlySet<KafkaMessage> = new Set();

/**
 * Decodes a batch into events to meter and dead letters. `retries` may be older than the window
 * (`findTrueRetries`). Call `decoder.learn` first.
 */
export function decodeBatch(
  batch: MessageBatch,
  decoder: UsageDecoder,
  now: Instant,
  window: EventWindow,
  retries: ReadonlySet<KafkaMessage> = NO_RETRIES,
): UsageRun {
  const { topic, partition } = batch;
  const events: ReceivedEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const message of batch.messages) {
    const offset = BigInt(message.offset);
    const read = decoder.decode(message.value, partition, offset);
    if ("reason" in read) {
      addDeadLetter(message, offset, null, explainHeader(message, read));
      continue;
    }
    const rejection = reject(message, read);
    if (rejection === null) events.push(read);
    else addDeadLetter(message, offset, read, rejection);
  }
  return {
    partition,
    fetchedFrom: batch.fetchedFrom,
    nextOffset: batch.nextOffset,
    events,
    deadLetters,
    messageAt: messageFinder(batch.messages),
  };

  function reject(message: KafkaMessage, event: UsageEvent): Rejection | null {
    const rejection = rejectEvent(event, now, window);
    return rejection?.reason === "too_long_ago" && retries.has(message)
      ? rejectEvent(event, now, windowOfRetry(window, now))
      : rejection;
  }

  function addDeadLetter(
    { key, value }: KafkaMessage,
    offset: bigint,
    event: UsageEvent | null,
    rejection: Rejection,
  ) {
    deadLetters.push({
      ...{ topic, partition, offset, rejection, key, payload: value ?? NOTHING, recordedAt: now },
      accountId: event && storableId(event.accountId),
      ...{ meter: event?.meter ?? null, occurredAt: event?.occurredAt ?? null },
    });
  }
}

/** The header in which Confluent's newer serializers may put what names the schema. */
const ID_HEADER = "__value_schema_id";

function explainHeader({ headers }: KafkaMessage, rejection: Rejection): Rejection {
  if (headers?.[ID_HEADER] === undefined) return rejection;
  const help = "set value.schema.id.serializer to the PrefixSchemaIdSerializer";
  return {
    ...rejection,
    detail: `${rejection.detail}; the header ${ID_HEADER} is not read: ${help}`,
  };
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

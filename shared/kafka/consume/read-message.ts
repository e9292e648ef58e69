import type { KafkaMessage } from "kafkajs";
import type { Instant } from "../../core/line/account.ts";
import { idProblem } from "../../core/text/text.ts";
import { placeText } from "../../core/usage/dead-letter-place.ts";
import {
  type EventWindow,
  type ReceivedEvent,
  type Rejection,
  rejectEvent,
  type UsageEvent,
  windowOfRetry,
} from "../../core/usage/usage-event.ts";
import type { DeadLetter } from "../../ledger/usage/dead-letters.ts";
import type { UsageDecoder } from "../codec/usage-decoder.ts";

/** What messages are read with. */
export interface Reading {
  readonly decoder: UsageDecoder;
  readonly now: Instant;
  readonly window: EventWindow;
  /** The messages that may be older than the window, by `placeText` (`findTrueRetries`); default: none. */
  readonly retries?: ReadonlySet<string>;
}

export const NOTHING = Buffer.alloc(0);

/** The event in a message, or the dead letter that it becomes. Call `decoder.learn` first. */
export function readMessage(
  { topic, partition }: { readonly topic: string; readonly partition: number },
  message: KafkaMessage,
  { decoder, now, window, retries }: Reading,
): ReceivedEvent | DeadLetter {
  const offset = BigInt(message.offset);
  const read = decoder.decode(message.value, partition, offset);
  if ("reason" in read) return deadLetter(null, explainHeader(message, read));
  const rejection = reject(read);
  return rejection === null ? read : deadLetter(read, rejection);

  function reject(event: UsageEvent): Rejection | null {
    const rejection = rejectEvent(event, now, window);
    return rejection?.reason === "too_long_ago" && isRetry()
      ? rejectEvent(event, now, windowOfRetry(window, now))
      : rejection;
  }

  function isRetry(): boolean {
    return retries?.has(placeText({ topic, partition, offset })) === true;
  }

  function deadLetter(event: UsageEvent | null, rejection: Rejection): DeadLetter {
    const { key, value } = message;
    return {
      ...{ topic, partition, offset, rejection, key, payload: value ?? NOTHING, recordedAt: now },
      accountId: event && storableId(event.accountId),
      ...{ meter: event?.meter ?? null, occurredAt: event?.occurredAt ?? null },
    };
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

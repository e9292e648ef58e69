import { createHash } from "node:crypto";
import type { KafkaMessage } from "kafkajs";
import type { Instant } from "../../core/line/account.ts";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";
import { type EventWindow, rejectEvent } from "../../core/usage/usage-event.ts";
import { requestedRetries } from "../../ledger/dead-letters/requested-retries.ts";
import type { Queryable } from "../../ledger/postgres/database.ts";
import { claimedRetry } from "../codec/retry-header.ts";
import type { UsageDecoder } from "../codec/usage-decoder.ts";
import type { MessageBatch } from "./batch-forms.ts";

interface Claim {
  readonly message: KafkaMessage;
  readonly place: DeadLetterPlace;
}

/**
 * The messages that may be older than the window: they retry a dead letter whose retry was requested,
 * with its bytes. Asks the books only when a message that claims so is too old. Call `decoder.learn`
 * first.
 */
export async function findTrueRetries(
  database: Queryable,
  batches: readonly MessageBatch[],
  decoder: UsageDecoder,
  now: Instant,
  window: EventWindow,
): Promise<ReadonlySet<KafkaMessage>> {
  const claims = batches.flatMap(({ partition, messages }) =>
    messages.flatMap((message): Claim[] => {
      const place = claimedRetry(message);
      if (place === null) return [];
      const event = decoder.decode(message.value, partition, BigInt(message.offset));
      const isTooOld =
        !("reason" in event) && rejectEvent(event, now, window)?.reason === "too_long_ago";
      return isTooOld ? [{ message, place }] : [];
    }),
  );
  if (claims.length === 0) return new Set();
  const digests = await requestedRetries(
    database,
    claims.map(({ place }) => place),
  );
  const isTrue = ({ message: { value }, place }: Claim) => {
    const digest = digests.get(placeText(place));
    return (
      digest?.equals(
        createHash("sha256")
          .update(value ?? "")
          .digest(),
      ) ?? false
    );
  };
  return new Set(claims.filter(isTrue).map(({ message }) => message));
}

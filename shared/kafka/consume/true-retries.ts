import { createHash } from "node:crypto";
import type { Instant } from "../../core/line/account.ts";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";
import { type EventWindow, rejectEvent } from "../../core/usage/usage-event.ts";
import { requestedRetries } from "../../ledger/dead-letters/requested-retries.ts";
import type { Queryable } from "../../ledger/postgres/database.ts";
import { claimedRetry } from "../codec/retry-header.ts";
import type { UsageDecoder } from "../codec/usage-decoder.ts";
import type { RecordsBatch } from "./batch-forms.ts";
import { unusualMessages } from "./decode-columns.ts";

interface Claim {
  /** Where the message itself is. */
  readonly at: DeadLetterPlace;
  readonly value: Buffer | null;
  readonly place: DeadLetterPlace;
}

/**
 * The messages that may be older than the window, by `placeText`: they retry a dead letter whose retry was
 * requested, with its bytes. Asks the books only when a message that claims so is too old. Call `decoder.learn`
 * first.
 */
export async function findTrueRetries(
  database: Queryable,
  batches: readonly RecordsBatch[],
  decoder: UsageDecoder,
  now: Instant,
  window: EventWindow,
): Promise<ReadonlySet<string>> {
  const claims = batches.flatMap((batch) =>
    unusualMessages(batch).flatMap((message): Claim[] => {
      const place = claimedRetry(message);
      if (place === null) return [];
      const { topic, partition } = batch;
      const { value } = message;
      const offset = BigInt(message.offset);
      const event = decoder.decode(value, partition, offset);
      const isTooOld =
        !("reason" in event) && rejectEvent(event, now, window)?.reason === "too_long_ago";
      return isTooOld ? [{ at: { topic, partition, offset }, value, place }] : [];
    }),
  );
  if (claims.length === 0) return new Set();
  const digests = await requestedRetries(
    database,
    claims.map(({ place }) => place),
  );
  const isTrue = ({ value, place }: Claim) => {
    const digest = digests.get(placeText(place));
    return (
      digest?.equals(
        createHash("sha256")
          .update(value ?? "")
          .digest(),
      ) ?? false
    );
  };
  return new Set(claims.filter(isTrue).map(({ at }) => placeText(at)));
}

import type { IHeaders } from "kafkajs";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";
import { TOPICS } from "../../core/text/topics.ts";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";

/** The header of a dead letter that is published again: the offset at which its message was read. */
const RETRY_OF = "retry-of";

const PLACE = new RegExp(`^${RegExp.escape(TOPICS.usageEvents)}/(\\d{1,10})/(\\d{1,19})$`);
const LAST_PARTITION = 2 ** 31 - 1;

export function retryHeaders(place: DeadLetterPlace): { readonly [RETRY_OF]: string } {
  return { [RETRY_OF]: placeText(place) };
}

/**
 * The dead letter that a usage message claims to retry, or null. Any producer may set the header: the
 * books decide whether it is true.
 */
export function claimedRetry({
  headers,
}: {
  readonly headers?: IHeaders | undefined;
}): DeadLetterPlace | null {
  const value = headers?.[RETRY_OF];
  if (value === undefined || Array.isArray(value)) return null;
  const [, partition, offset] = PLACE.exec(value.toString()) ?? [];
  if (partition === undefined || offset === undefined) return null;
  const place = {
    topic: TOPICS.usageEvents,
    partition: Number(partition),
    offset: BigInt(offset),
  };
  return place.partition > LAST_PARTITION || place.offset > MAX_BIGINT ? null : place;
}

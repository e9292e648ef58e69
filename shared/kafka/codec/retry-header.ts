import type { IHeaders } from "kafkajs";
import { TOPICS } from "../../core/text/topics.ts";
import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";

/** The header of a dead letter that is published again: the offset at which its message was read. */
const RETRY_OF = "retry-of";

const PLACE = new RegExp(`^${RegExp.escape(TOPICS.usageEvents)}/\\d{1,10}/\\d{1,19}$`);

export function retryHeaders(place: DeadLetterPlace): { readonly [RETRY_OF]: string } {
  return { [RETRY_OF]: placeText(place) };
}

/** Whether a usage message names the dead letter that it retries. */
export function isRetry({ headers }: { readonly headers?: IHeaders | undefined }): boolean {
  const value = headers?.[RETRY_OF];
  return value !== undefined && !Array.isArray(value) && PLACE.test(value.toString());
}

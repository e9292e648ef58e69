import type { Instant } from "../line/account.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits after the first failure, the second, and so on: those that the Standard Webhooks recommend. */
export const RETRY_WAITS_MS: readonly number[] = [
  ...[5 * SECOND, 5 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
];

/** An endpoint that has failed for as long, whatever it was sent, is paused: all waits together. */
export const RETRIED_FOR_MS = RETRY_WAITS_MS.reduce((sum, wait) => sum + wait, 0);

/** For how long a secret signs beside the one that replaced it. */
export const OLD_SECRET_MS = 24 * HOUR;

/** What follows a failed attempt: another one at `at`, or the endpoint is paused. */
export type AfterFailure =
  | { readonly kind: "retry"; readonly at: Instant }
  | { readonly kind: "pause" };

/**
 * `tries`: failures in a row of this delivery, with this one. `failingSince`: since when nothing sent to the
 * endpoint has succeeded; null: something did after the last failure.
 */
export function afterFailure(failed: {
  readonly tries: number;
  readonly failingSince: Instant | null;
  readonly now: Instant;
}): AfterFailure {
  const { tries, failingSince, now } = failed;
  const wait = RETRY_WAITS_MS[tries - 1];
  const isLong = failingSince !== null && now - failingSince >= RETRIED_FOR_MS;
  return wait === undefined || isLong ? { kind: "pause" } : { kind: "retry", at: now + wait };
}

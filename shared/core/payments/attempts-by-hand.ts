import type { Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";

/** The most attempts of an account within an hour, unless a setting says otherwise. */
export const USUAL_ATTEMPTS = 10;

export const ATTEMPTS_WITHIN_MS = 60 * 60 * 1000;

/**
 * Refuses to try another payment of an account that has tried `most` within the last hour, whatever came
 * of them; null: it may. Source of the rule: whoever tests stolen cards tries one after the other, and
 * the card networks fine the seller for it. `attempts` are the newest ones, newest first, at least `most`
 * of them if there are as many.
 */
export function refuseAttempt(
  attempts: readonly Instant[],
  most: number,
  now: Instant,
): Refusal<"too_many_attempts"> | null {
  const first = attempts[most - 1];
  if (first === undefined) return null;
  const until = first + ATTEMPTS_WITHIN_MS;
  return until > now ? { kind: "too_many_attempts", most, until, waitMs: until - now } : null;
}

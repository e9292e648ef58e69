import type { Instant } from "../line/account.ts";
import type { FeePayment, PaymentStatus } from "./payment.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The waits after each declined attempt of a fee: it is tried again 1, 3, 5 and 7 days after it fell due. */
const WAITS_MS: readonly number[] = [DAY_MS, 2 * DAY_MS, 2 * DAY_MS, 2 * DAY_MS];

/**
 * The status of a fee after a declined attempt, and when it is tried again; null: never. What an ended
 * subscription's fee would bring is not wanted any more, so it is not tried again.
 */
export function feeDeclined(
  { attempt, brings }: Pick<FeePayment, "attempt" | "brings">,
  isRunning: boolean,
  now: Instant,
): { readonly status: PaymentStatus; readonly nextTryAt: Instant | null } {
  const waitMs = WAITS_MS[attempt - 1];
  return waitMs === undefined || (brings !== null && !isRunning)
    ? { status: "failed", nextTryAt: null }
    : { status: "retrying", nextTryAt: now + waitMs };
}

/** True for a fee that keeps its subscription suspended: failed, or tried once more and not paid yet. */
export function keepsSuspended({
  status,
  attempt,
}: Pick<FeePayment, "status" | "attempt">): boolean {
  return status === "failed" || (status === "pending" && attempt > WAITS_MS.length + 1);
}

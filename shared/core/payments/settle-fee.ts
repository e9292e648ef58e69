import type { Instant } from "../line/account.ts";
import type { FeePayment, PaymentStatus } from "./payment.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long after the first, the second, ... attempt a declined fee is tried again: 1, 3, 5 and 7 days after it fell due. */
const WAITS_MS: readonly number[] = [DAY_MS, 2 * DAY_MS, 2 * DAY_MS, 2 * DAY_MS];

/** What becomes of a fee whose attempt was declined: tried again at an instant, or given up. */
export function feeDeclined(
  attempt: number,
  now: Instant,
): { readonly status: PaymentStatus; readonly nextTryAt: Instant | null } {
  const waitMs = WAITS_MS[attempt - 1];
  return waitMs === undefined
    ? { status: "failed", nextTryAt: null }
    : { status: "retrying", nextTryAt: now + waitMs };
}

/**
 * Whether a fee keeps its subscription suspended: it was given up, or has been tried again since, and is
 * not paid.
 */
export function keepsSuspended({
  status,
  attempt,
}: Pick<FeePayment, "status" | "attempt">): boolean {
  return status === "failed" || (status === "pending" && attempt > WAITS_MS.length + 1);
}

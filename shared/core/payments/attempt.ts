import type { Instant } from "../line/account.ts";
import type { Payment, PaymentStatus } from "./payment.ts";

/** Who pays for an account and with what, by the payment gateway's ids. */
export interface PaymentMethod {
  readonly customer: string;
  readonly method: string;
}

/** How far a payment's attempt has come with the gateway. */
export interface Attempt {
  readonly status: PaymentStatus;
  /** Counts from 1; each has a key of its own at the gateway. */
  readonly attempt: number;
  /** Calls of this attempt; after the first, its outcome may be unknown. */
  readonly calls: number;
  readonly attemptedAt: Instant;
  /** As of the attempt's first call; null: there was nothing to pay with. */
  readonly method: PaymentMethod | null;
  readonly gatewayPayment: string | null;
}

/**
 * The next call of the gateway for a payment that is due. A fee that was declined begins a new attempt.
 * The first call of an attempt takes the account's payment method, and each repeat says the same.
 */
export function nextCall(
  kind: Payment["kind"],
  before: Attempt,
  { now, method }: { readonly now: Instant; readonly method: PaymentMethod | null },
): Attempt {
  const { status, attempt } = before;
  if (kind === "fee" && (status === "retrying" || status === "failed")) {
    const anew = { status: "pending", attempt: attempt + 1, calls: 1 } as const;
    return { ...anew, attemptedAt: now, method, gatewayPayment: null };
  }
  const isFirst = status === "pending" && before.calls === 0;
  const called = { ...before, calls: before.calls + 1 };
  return isFirst ? { ...called, attemptedAt: now, method } : called;
}

/**
 * When the gateway is asked again about a payment that has succeeded; null: not. What was heard of it
 * while its outcome was unknown (that it was refunded, say) was not looked at, so it is asked now about
 * one that was asked about before, or is to be by now.
 */
export function recheckAt(
  { calls, nextTryAt }: { readonly calls: number; readonly nextTryAt: Instant | null },
  now: Instant,
): Instant | null {
  const isDue = calls === 1 && nextTryAt !== null && nextTryAt <= now;
  return calls > 1 || isDue ? now : null;
}

import type { Instant } from "../line/account.ts";
import type { Payment, PaymentStatus } from "./payment.ts";

/** An account's payment method, by the gateway's ids. */
export interface PaymentMethod {
  readonly customer: string;
  readonly method: string;
}

/** The state of a payment's attempt at the gateway. */
export interface Attempt {
  readonly status: PaymentStatus;
  /** Counts from 1; each has its own key at the gateway. */
  readonly attempt: number;
  /** Calls made for this attempt; after the first, its outcome may be unknown. */
  readonly calls: number;
  readonly attemptedAt: Instant;
  /** As of the attempt's first call; null: the account had none. */
  readonly method: PaymentMethod | null;
  readonly gatewayPayment: string | null;
}

/**
 * The attempt after the next call of the gateway for a due payment. A declined fee begins a new attempt.
 * An attempt's first call uses the account's payment method; its repeats use the same one. Where the gateway
 * has a charge of the payment that the books lack (`lostCharge`, its id there), the attempt is that charge, which
 * an earlier call has made: it is asked about and nothing is charged.
 */
export function nextCall(
  kind: Payment["kind"],
  before: Attempt,
  {
    now,
    method,
    lostCharge = null,
  }: {
    readonly now: Instant;
    readonly method: PaymentMethod | null;
    readonly lostCharge?: string | null;
  },
): Attempt {
  const { status, attempt } = before;
  const first = { attemptedAt: now, method, calls: lostCharge === null ? 1 : 2 } as const;
  if (kind === "fee" && (status === "retrying" || status === "failed")) {
    const anew = { status: "pending", attempt: attempt + 1 } as const;
    return { ...anew, ...first, gatewayPayment: lostCharge };
  }
  const isFirst = status === "pending" && before.calls === 0;
  if (isFirst) return { ...before, ...first, gatewayPayment: lostCharge };
  return { ...before, calls: before.calls + 1 };
}

/**
 * When to query the gateway again about a payment that has succeeded; null: never. Webhooks about it
 * (a refund, say) are ignored while its outcome is unknown, so a payment that was called more than once,
 * or is due again, is queried now.
 */
export function recheckAt(
  { calls, nextTryAt }: { readonly calls: number; readonly nextTryAt: Instant | null },
  now: Instant,
): Instant | null {
  const isDue = calls === 1 && nextTryAt !== null && nextTryAt <= now;
  return calls > 1 || isDue ? now : null;
}

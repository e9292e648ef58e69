import type { AccountId } from "../line/account.ts";
import type { Fee } from "../month/fee.ts";
import type { NewTopUp, Payment, PaymentStatus } from "./payment.ts";

/** A charge or a refund in a new state, as it is published. */
export interface PaymentChange {
  readonly accountId: AccountId;
  readonly paymentId: string;
  /** Null: it is about the charge. */
  readonly refundId: string | null;
  readonly kind: "top_up" | "fee" | "refund" | "chargeback";
  readonly status: PaymentStatus | "posted" | "refused";
  /** In the currency's minor unit. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  /** Of the charge; counts from 1. */
  readonly attempt: number;
  /** Null: it is about a top-up. */
  readonly planId: string | null;
  /** Null: a low balance or a subscription caused it. */
  readonly requestedBy: string | null;
  /** A sentence for the customer; may be empty. */
  readonly reason: string;
}

/** A charge in its new state. */
export function chargeChanged(
  payment: Payment,
  { status, reason }: Pick<Payment, "status" | "reason">,
): PaymentChange {
  const { accountId, paymentId, kind, amount, currency, attempt, requestedBy = null } = payment;
  const planId = payment.kind === "fee" ? payment.planId : null;
  return {
    ...{ accountId, paymentId, refundId: null, kind, status, amount, currency, attempt },
    ...{ planId, requestedBy, reason },
  };
}

/** A top-up that was requested by `by`; null: a low balance caused it. */
export function topUpCreated(
  accountId: AccountId,
  { paymentId, amount, currency, reason }: NewTopUp,
  by: string | null,
): PaymentChange {
  return {
    ...{ accountId, paymentId, refundId: null, kind: "top_up", status: "pending" },
    ...{ amount, currency, attempt: 1, planId: null, requestedBy: by, reason },
  };
}

/** A fee in a new state that no attempt to charge it caused. */
export function feeChanged(
  accountId: AccountId,
  fee: Pick<Fee, "paymentId" | "amount" | "currency" | "planId">,
  after: Pick<Payment, "status" | "attempt" | "reason">,
): PaymentChange {
  const { paymentId, amount, currency, planId } = fee;
  const { status, attempt, reason } = after;
  return {
    ...{ accountId, paymentId, refundId: null, kind: "fee", status, amount, currency },
    ...{ attempt, planId, requestedBy: null, reason },
  };
}

/** A refund or chargeback of a charge in its new state; amounts in the currency's minor unit. */
export function refundChanged(
  payment: Payment,
  refund: Pick<PaymentChange, "status" | "amount" | "requestedBy" | "reason"> & {
    readonly refundId: string;
    readonly kind: "refund" | "chargeback";
    readonly status: "pending" | "posted" | "refused";
  },
): PaymentChange {
  const { refundId, kind, status, amount, requestedBy, reason } = refund;
  const charge = chargeChanged(payment, payment);
  return { ...charge, refundId, kind, status, amount, requestedBy, reason };
}

import { BEHAVIOURS, type BehaviourName } from "./cards.ts";

/** What a charge is asked for with. Amounts are above 0, in the currency's minor unit. */
export interface PaymentRequest {
  /** The Idempotency-Key. */
  readonly key: string;
  readonly accountId: string;
  readonly paymentId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly customer: string;
  readonly method: string;
}

export interface Payment extends PaymentRequest {
  readonly id: string;
  /** What its card did to it. */
  readonly behaviour: BehaviourName;
  readonly status: "succeeded" | "processing" | "declined";
  /** Milliseconds. */
  readonly createdAt: number;
}

/** Money that went back. */
export interface TakenBack {
  readonly id: string;
  /** The payment's id. */
  readonly payment: string;
  /** The refund's Idempotency-Key; null for a chargeback, which nobody asked for. */
  readonly key: string | null;
  readonly kind: "refund" | "chargeback";
  readonly amount: bigint;
}

/** True when both ask for the same: then the second is a repeat of the first, else a conflict. */
export function isSameRequest(one: PaymentRequest, other: PaymentRequest): boolean {
  return (
    one.key === other.key &&
    one.accountId === other.accountId &&
    one.paymentId === other.paymentId &&
    one.amount === other.amount &&
    one.currency === other.currency &&
    one.customer === other.customer &&
    one.method === other.method
  );
}

/** The payment as it was when its charge was answered: what every repeat of the charge hears. */
export function asFirstAnswered(payment: Payment): Payment {
  const isProcessing = BEHAVIOURS[payment.behaviour].outcome.kind === "processing";
  return isProcessing ? { ...payment, status: "processing" } : payment;
}

/** The payment as JSON says it. */
export function paymentJson(payment: Payment) {
  const { outcome } = BEHAVIOURS[payment.behaviour];
  return {
    id: payment.id,
    key: payment.key,
    account_id: payment.accountId,
    payment_id: payment.paymentId,
    amount: payment.amount.toString(),
    currency: payment.currency,
    customer: payment.customer,
    method: payment.method,
    status: payment.status,
    ...(outcome.kind === "declined" ? { decline: outcome.decline } : {}),
    created_at: new Date(payment.createdAt).toISOString(),
  };
}

/** A refund or chargeback as JSON says it. */
export function takenBackJson({ id, key, kind, amount }: TakenBack) {
  return { id, key, kind, amount: amount.toString() };
}

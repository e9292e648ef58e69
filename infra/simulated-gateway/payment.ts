import { BEHAVIOURS, type BehaviourName } from "./cards.ts";

/** A request to charge. The amount is above 0, in the currency's minor unit. */
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
  readonly behaviour: BehaviourName;
  readonly status: "succeeded" | "processing" | "declined";
  /** Milliseconds. */
  readonly createdAt: number;
}

/** A refund or chargeback. */
export interface TakenBack {
  readonly id: string;
  /** The payment's id. */
  readonly payment: string;
  /** The refund's Idempotency-Key; null for a chargeback. */
  readonly key: string | null;
  readonly kind: "refund" | "chargeback";
  readonly amount: bigint;
}

/** True if the second request repeats the first; otherwise they conflict. */
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

/** The payment as it was when its charge was first answered; repeats get the same answer. */
export function asFirstAnswered(payment: Payment): Payment {
  const isProcessing = BEHAVIOURS[payment.behaviour].outcome.kind === "processing";
  return isProcessing ? { ...payment, status: "processing" } : payment;
}

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

export function takenBackJson({ id, key, kind, amount }: TakenBack) {
  return { id, key, kind, amount: amount.toString() };
}

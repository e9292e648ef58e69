import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import type { LotLife } from "../offer/catalogue.ts";

/**
 * `pending`: at the gateway, or on its way there, with an outcome that may not be known yet.
 * `retrying`: declined, and to be tried again (fees only; a top-up that is tried again is another).
 */
export type PaymentStatus = "pending" | "retrying" | "succeeded" | "failed";

interface PaymentBase {
  readonly accountId: AccountId;
  /** Identifies it within the account, and says what caused it. */
  readonly paymentId: string;
  readonly status: PaymentStatus;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  /** Counts from 1; each has a key of its own at the gateway. */
  readonly attempt: number;
  /** Why it stands as it does, in words a customer can read; empty when there is nothing to say. */
  readonly reason: string;
  readonly createdAt: Instant;
}

/** Money for credits, as one lot. */
export interface TopUp extends PaymentBase {
  readonly kind: "top_up";
  readonly credits: MicroCredits;
  /** How long the lot will live. */
  readonly life: LotLife;
}

/** Money for periods of a subscription. */
export interface FeePayment extends PaymentBase {
  readonly kind: "fee";
  /** The subscription's number, and the first period paid. */
  readonly number: number;
  readonly period: number;
  readonly periods: number;
  readonly planId: string;
}

export type Payment = TopUp | FeePayment;

/** A top-up before it is stored. */
export type NewTopUp = Pick<TopUp, "paymentId" | "amount" | "currency" | "credits" | "life">;

/** True for a top-up that a low balance caused; false for one made by hand. */
export function isAutomatic({ paymentId }: Pick<Payment, "paymentId">): boolean {
  return REFERENCE.automaticTopUp.read(paymentId) !== null;
}

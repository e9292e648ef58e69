import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import type { FeeCredits } from "../month/fee.ts";
import type { LotLife } from "../offer/catalogue.ts";

/**
 * `pending`: at the gateway or on its way there; the outcome may be unknown. `retrying`: declined, with
 * another attempt to come (fees only: the retry of a top-up is another top-up). `invoiced`: not charged
 * here, as the seller collects it (fees only).
 */
export type PaymentStatus = "pending" | "retrying" | "succeeded" | "failed" | "invoiced";

interface PaymentBase {
  readonly accountId: AccountId;
  /** Identifies it within the account, and names its cause. */
  readonly paymentId: string;
  readonly status: PaymentStatus;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  /** Counts from 1; each has its own key at the gateway. */
  readonly attempt: number;
  /** The reason for its status, as a sentence for the customer; may be empty. */
  readonly reason: string;
  readonly createdAt: Instant;
  /** Who requested it; null or left out: nobody, a low balance or a subscription caused it. */
  readonly requestedBy?: string | null;
}

/** Money for credits, as one lot. */
export interface TopUp extends PaymentBase {
  readonly kind: "top_up";
  readonly credits: MicroCredits;
  /** Of the lot. */
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
  /** Credits that come when it is paid; null: none wait for it. */
  readonly brings: FeeCredits | null;
}

export type Payment = TopUp | FeePayment;

/** A top-up before it is stored. */
export type NewTopUp = Pick<
  TopUp,
  "paymentId" | "amount" | "currency" | "credits" | "life" | "reason"
>;

/** True for a top-up caused by a low balance, false for one made by hand. */
export function isAutomatic({ paymentId }: Pick<Payment, "paymentId">): boolean {
  return REFERENCE.automaticTopUp.read(paymentId) !== null;
}

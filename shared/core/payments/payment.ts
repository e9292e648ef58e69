import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { TOP_UP_LOT } from "../month/grant-credits.ts";
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

const AUTOMATIC = "low-balance:";

/**
 * The identity of an automatic top-up: the crossing that caused it and, where earlier ones for it
 * were declined, how many. So no repeat of an event or a crash can make another.
 */
export function automaticTopUpId(crossing: bigint, declinedBefore: number): string {
  const first = `${AUTOMATIC}${crossing}`;
  return declinedBefore === 0 ? first : `${first}:${declinedBefore + 1}`;
}

/** True for a top-up that a low balance caused; false for one made by hand. */
export function isAutomatic({ paymentId }: Pick<Payment, "paymentId">): boolean {
  return paymentId.startsWith(AUTOMATIC);
}

/** The identity of a top-up made by hand under `key`; the same key again is the same top-up. */
export function manualTopUpId(key: string): string {
  return `manual:${key}`;
}

/** The lot that a top-up brings. */
export function lotOfTopUp({ paymentId }: Pick<Payment, "paymentId">): string {
  return `${TOP_UP_LOT}${paymentId}`;
}

import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { LotLife } from "../offer/catalogue.ts";

/** Credits that come with a fee's payment, as one lot. Its life counts from then. */
export interface FeeCredits {
  readonly lotId: string;
  readonly credits: MicroCredits;
  readonly life: LotLife;
}

/** The price of a plan for one or more periods of a subscription. */
export interface Fee {
  /** Identifies it within the account. */
  readonly paymentId: string;
  /** Of the subscription. */
  readonly number: number;
  /** The first period that it pays, and the number of periods. */
  readonly period: number;
  readonly periods: number;
  readonly planId: string;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  readonly dueAt: Instant;
  /** Null: it brings none; they came without waiting for it. */
  readonly brings: FeeCredits | null;
}

/** A fee that is not paid. `failed`: not charged again until the customer acts. */
export interface UnpaidFee extends Fee {
  readonly status: "pending" | "retrying" | "failed";
}

/** Names a fee by its subscription and first period. */
export type FeeRef = Pick<Fee, "number" | "period">;

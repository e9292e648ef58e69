import type { Instant } from "../line/account.ts";

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
}

/** Names a fee by its subscription and first period. */
export type FeeRef = Pick<Fee, "number" | "period">;

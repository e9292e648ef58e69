import type { Instant } from "../line/account.ts";

/** What a subscription costs for some of its periods, as it falls due. */
export interface Fee {
  /** Identifies it within the account. */
  readonly paymentId: string;
  /** Of the subscription. */
  readonly number: number;
  /** The first period that it pays, and how many from there on. */
  readonly period: number;
  readonly periods: number;
  readonly planId: string;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  readonly dueAt: Instant;
}

/** Which of a subscription's fees: those of one period are paid or given up alike. */
export type FeeRef = Pick<Fee, "number" | "period">;

import type { BillingInterval, Renewal } from "../../shared/core/offer/billing-periods.ts";

/**
 * Months of many accounts, made from a seed: plain data, in the order in which the system takes it.
 * Credits are micro-credits, instants milliseconds since 1970-01-01T00:00Z, both as numbers.
 */
export interface MonthHistory {
  readonly seed: number;
  readonly accounts: readonly HistoryAccount[];
  /** `at` is the clock, which never goes back. */
  readonly steps: readonly MonthStep[];
}

export interface HistoryAccount {
  readonly id: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly threshold: number;
}

export type MonthStep =
  /** Metering has read every partition to its end. */
  | { readonly at: number; readonly kind: "caught up" }
  /** The scheduler runs and settles every account that is due. */
  | { readonly at: number; readonly kind: "settle" }
  | AccountStep;

export type AccountStep = { readonly at: number; readonly account: string } & (
  | {
      readonly kind: "use";
      readonly event: number;
      readonly tokens: number;
      readonly occurredAt: number;
    }
  | {
      readonly kind: "subscribe";
      readonly plan: string;
      readonly interval: BillingInterval;
      readonly renewal: Renewal;
    }
  | { readonly kind: "change plan"; readonly plan: string }
  | { readonly kind: "change interval"; readonly interval: BillingInterval }
  /** The fee of that subscription and period is given up. */
  | { readonly kind: "fee given up"; readonly number: number; readonly period: number }
  /** It was paid; `owing` fees of the subscription are still given up. */
  | {
      readonly kind: "fee paid";
      readonly number: number;
      readonly period: number;
      readonly owing: number;
    }
  | { readonly kind: "cancel" }
  | { readonly kind: "resume" }
  | { readonly kind: "set add-on"; readonly addOn: string; readonly quantity: number }
  | { readonly kind: "change zone"; readonly timeZone: string }
  | {
      readonly kind: "grant";
      readonly lot: string;
      readonly credits: number;
      readonly end:
        | { readonly kind: "usual" }
        | { readonly kind: "never" }
        | { readonly kind: "at"; readonly at: number };
    }
  /** Credits null: everything that is left. */
  | { readonly kind: "withdraw"; readonly lot: string; readonly credits: number | null }
);

/** A request of the real trace. */
export interface TracedUse {
  /** Milliseconds since the trace's start. */
  readonly seconds: number;
  readonly tokens: number;
}

/**
 * What the API answers about an account. Credits are micro-credits and money is in the currency's
 * minor unit, both as decimal strings; instants are ISO 8601 in UTC.
 */

export interface AccountData {
  readonly account_id: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly threshold: string;
  readonly balance: string;
  readonly granted: string;
  readonly position: string;
  readonly low_balance: boolean;
  readonly version: string | number;
  readonly auto_top_up: AutoTopUpData;
  readonly payment_method: { readonly set: boolean };
  readonly subscription: SubscriptionData | null;
  readonly add_ons: readonly AddOnData[];
}

export interface AutoTopUpData {
  readonly enabled: boolean;
  readonly amount: string;
  readonly limit_per_day: string;
  readonly limit_per_month: string;
  readonly paused_until: string | null;
  /** Why nothing is charged until the customer acts, in words. */
  readonly stopped: string | null;
}

interface SubscriptionData {
  readonly plan_id: string;
  readonly interval: "month" | "year";
  readonly period_credits: string;
  readonly next_period_at: string | null;
  readonly next_plan_id: string | null;
  readonly next_interval: "month" | "year" | null;
  readonly cancelled: boolean;
  readonly suspended: boolean;
}

export interface AddOnData {
  readonly add_on_id: string;
  readonly quantity: number;
  readonly next_quantity: number;
  /** Of one unit; null where the catalogue has no price any more. */
  readonly credits_per_month: string | null;
}

export interface LotData {
  readonly lot_id: string;
  readonly source: "plan" | "top_up" | "promotion" | "adjustment";
  readonly reference: string;
  readonly start: string;
  readonly end: string;
  readonly granted_at: string;
  readonly expires_at: string | null;
}

/** A usage event after metering. */
export interface RecordData {
  readonly event_id: string;
  readonly meter: string;
  readonly quantity: string | number;
  readonly credits: string;
  readonly occurred_at: string;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Which lots paid for a usage event, and what of it none has paid yet. */
export interface ExplainedData extends RecordData {
  readonly lots: readonly PaidByData[];
  readonly owed: string;
}

interface PaidByData {
  readonly lot_id: string;
  readonly source: LotData["source"];
  readonly credits: string;
}

/** A posted movement that is not usage. */
export interface EntryData {
  readonly sequence: string | number;
  readonly kind: string;
  readonly credits: string;
  readonly balance: string;
  readonly lot_id: string | null;
  readonly reference: string;
  readonly posted_at: string;
}

/** Money for credits, or for periods of a plan. */
export interface PaymentData {
  readonly payment_id: string;
  readonly kind: "top_up" | "fee";
  readonly status: "pending" | "retrying" | "succeeded" | "failed";
  readonly amount: string;
  readonly currency: string;
  /** What a top-up adds; null of a fee. */
  readonly credits: string | null;
  readonly reason: string;
  readonly created_at: string;
}

export interface RunwayData {
  readonly balance: string;
  readonly pace_per_day: string;
  readonly pace_from: string;
  readonly pace_to: string;
  readonly lasts_until: string | null;
  readonly expires_unused: string;
}

export interface UsageData {
  readonly total: string;
  readonly buckets: readonly BucketData[];
}

export interface BucketData {
  readonly at: string;
  readonly key: string;
  readonly credits: string;
  readonly events: string | number;
  readonly quantity: string | number | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

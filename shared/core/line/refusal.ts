import type { Account, AccountId, Instant, Lot } from "./account.ts";
import type { MicroCredits } from "./credit-line.ts";

/**
 * Every reason for refusing a request, with the figures that its sentence shows. Money is in the minor
 * unit of its `currency` (ISO 4217). The names are the API's error codes; shared/contract/refusals.ts
 * has the sentences.
 */
interface Figures {
  // There is nothing with that id.
  unknown_account: { accountId: AccountId };
  unknown_lot: { lotId: string };
  unknown_payment: { paymentId: string };
  unknown_hold: { holdId: string };
  /** `value` empty: there is none for every value. */
  unknown_budget: { dimension: string; window: string; value: string };
  /** It was never metered, or before `pastUntil`, of when events are past retention; null: all are kept. */
  unknown_event: { eventId: string; pastUntil: Instant | null };
  /** Events of several sources have the id; the first sources, in order. */
  several_sources: { eventId: string; sources: readonly string[] };
  unknown_key: { keyId: string };
  unknown_token: { tokenId: string };
  unknown_dead_letter: { place: string };
  unknown_webhook: { endpointId: string };
  /** It never was, or is past its retention. */
  unknown_delivery: { webhookId: string };
  /** It was never priced. */
  unknown_meter: { meter: string };
  /** It is not on offer now. */
  unknown_plan: { planId: string };
  unknown_add_on: { addOnId: string };
  unknown_time_zone: { timeZone: string };

  // The id is taken by something else.
  account_exists: Pick<Account, "accountId" | "timeZone" | "threshold"> & { currency: string };
  lot_exists: Pick<Lot, "lotId" | "expiresAt"> & {
    credits: MicroCredits;
    source: string;
    reference: string;
  };
  adjustment_exists: { reference: string; credits: MicroCredits };
  top_up_exists: { amount: bigint; currency: string };
  refund_exists: { amount: bigint; currency: string };
  hold_exists: { holdId: string; credits: MicroCredits; at: Instant };

  // The subscription does not allow it.
  no_subscription: unknown;
  already_subscribed: { planId: string; cancelled: boolean };
  already_cancelled: unknown;
  not_cancelled: unknown;
  /** A fee was not paid; `price` is the plan's, and less may be owed. */
  subscription_suspended: { price: bigint; currency: string; interval: "month" | "year" };
  /** A fee must be paid first. */
  fee_unpaid: { paymentId: string; planId: string; amount: bigint; currency: string };
  /** The setting already has the value, or is scheduled to. */
  no_change: UnchangedSetting;

  // Prices and payment.
  no_plan_price: { planId: string; currency: string };
  /** The meter has no price at that instant, or (`detail`) none for these dimensions. */
  no_price: { meter: string; detail?: string };
  no_credit_price: { currency: string };
  no_payment_method: unknown;
  /** The plan has a price, and the account no way to pay it. */
  no_way_to_pay: { planId: string; price: bigint; currency: string; interval: "month" | "year" };
  /** An account has one top-up at a time. */
  top_up_pending: unknown;
  /** `most` were made within an hour; another may be made at `until`, after `waitMs`. */
  too_many_attempts: { most: number; until: Instant; waitMs: number };
  below_minimum: { least: bigint; currency: string };
  above_maximum: { most: bigint; currency: string };
  /** The day's or the month's limit leaves less; `byCeiling`: the limit is the seller's ceiling. */
  above_limit: {
    left: bigint;
    per: "day" | "month";
    limit: bigint;
    byCeiling: boolean;
    currency: string;
  };
  /** More than the seller allows for one top-up, a day or a month. */
  above_ceiling: {
    per: "top_up" | "day" | "month";
    asked: bigint;
    ceiling: bigint;
    currency: string;
  };
  /** One top-up of `amount`, the most that is allowed, would leave an empty account at or below it. */
  threshold_too_high: { most: MicroCredits; amount: bigint; currency: string };
  /** A limit is smaller than the amount of one top-up. */
  limit_below_amount: { per: "day" | "month"; amount: bigint; limit: bigint; currency: string };
  /** Only paid payments can be refunded. */
  not_paid: { paymentId: string; status: string };
  /** `left` can still be refunded; 0: all is refunded, or about to be. */
  exceeds_refundable: { paymentId: string; left: bigint; currency: string };

  // Holds.
  /**
   * Less is available than a hold asks for; below zero the account is in debt, or more is held than is left. `most`
   * with the overdraft.
   */
  insufficient_credits: { asked: MicroCredits; available: MicroCredits; most: MicroCredits };
  /** It is closed with a final amount of `credits`. */
  hold_captured: { holdId: string; credits: MicroCredits };
  hold_ended: { holdId: string; how: "released" | "expired"; at: Instant };
  /** A final amount above the `credits` that were given. */
  exceeds_hold: { holdId: string; credits: MicroCredits };

  // Budgets.
  /** Less is `left` of a value's budget than is asked for; below zero more was used. `turnsAt` null: never. */
  budget_used_up: {
    dimension: string;
    window: string;
    value: string;
    asked: MicroCredits;
    left: MicroCredits;
    turnsAt: Instant | null;
  };
  /** Dimensions and windows of an account's budgets, counted together. */
  too_many_budget_dimensions: { most: number };

  // Credits.
  /** The credits must be above 0. */
  no_credits: unknown;
  /** The line holds 64 bits; `most` still fits. */
  overflow: { most: MicroCredits };
  /** Only subscriptions and top-ups use such lot ids. */
  reserved_lot_id: { lotId: string };
  /** The lot would end before it begins. */
  already_ended: { at: Instant };
  /** Only undrawn credits can be withdrawn; 0: the lot was used, has expired or was withdrawn. */
  exceeds_remaining: { lotId: string; remaining: MicroCredits };
  /** Not a whole number from 0 to `most`. */
  invalid_quantity: { most: number };

  // Catalogue versions, whose past never changes.
  /** Other terms begin at the same instant. */
  version_exists: unknown;
  /** It would change terms before `earliest`. */
  too_early: { earliest: Instant };
  /** One price would replace prices by dimensions. */
  priced_by_dimensions: { meter: string };
  /** Stated without `from`, while other terms begin at `at`, later than these could. */
  version_planned: { at: Instant };
  /** Stated without `from`, it would begin at `earliest`, when the next requested version holds. */
  version_overtaken: { earliest: Instant };

  // Dead letters; `place` is the message's, such as `usage.events/2/1041`.
  already_dismissed: { place: string; at: Instant; by: string; reason: string };
  /** It was published again, as a new message. */
  already_retried: { place: string; at: Instant };
  /** There is nothing to publish again; `detail` says why. */
  no_payload: { place: string; detail: string };
  /** Only its beginning was kept; `size` is that of the whole value, in bytes. */
  payload_cut: { place: string; size: number };
  /** None of the open ones can be published again: they have no bytes, or were cut. */
  none_to_retry: { withoutBytes: number; cut: number };
  /** None is open, of that reason or (null) of any. */
  no_dead_letters: { reason: string | null };

  // Webhooks.
  /** `problem` is the end of a sentence that begins with the URL. */
  webhook_url: { problem: string };
  too_many_webhooks: { most: number };

  /** The range has too many rows for one answer. */
  range_too_large: unknown;
  /** Of usage before `until`, single events are past retention. */
  usage_past_retention: { until: Instant };
}

type UnchangedSetting =
  | { setting: "time_zone"; timeZone: string }
  | { setting: "threshold"; threshold: MicroCredits }
  | { setting: "overdraft"; overdraft: MicroCredits | null }
  /** `from` null: now. */
  | { setting: "plan"; planId: string; from: Instant | null }
  /** `planned`: from the end of what is paid. */
  | { setting: "interval"; interval: "month" | "year"; planned: boolean }
  | { setting: "add_on"; addOnId: string; units: number; from: Instant | null };

export type RefusalKind = keyof Figures;

/** A refusal of one of the kinds. */
export type Refusal<K extends RefusalKind = RefusalKind> = {
  [Kind in K]: { readonly kind: Kind } & Readonly<Figures[Kind]>;
}[K];

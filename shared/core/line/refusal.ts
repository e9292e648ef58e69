import type { AccountId, Instant } from "./account.ts";
import type { MicroCredits } from "./credit-line.ts";

/**
 * Why something that was asked for is not done: every name there is, with the figures that a sentence
 * about it needs. Money is in the minor unit of its `currency` (ISO 4217). The names are the codes of
 * the API; shared/contract/refusals.ts has the sentences.
 */
interface Figures {
  // Nothing has that id.
  unknown_account: { accountId: AccountId };
  unknown_lot: { lotId: string };
  unknown_payment: { paymentId: string };
  /** It was never metered. */
  unknown_event: { eventId: string };
  unknown_key: { keyId: string };
  unknown_dead_letter: { place: string };
  /** It was never priced. */
  unknown_meter: { meter: string };
  /** The catalogue does not offer it now. */
  unknown_plan: { planId: string };
  unknown_add_on: { addOnId: string };
  unknown_time_zone: { timeZone: string };

  // The id names something else than what is asked for.
  account_exists: {
    accountId: AccountId;
    timeZone: string;
    currency: string;
    threshold: MicroCredits;
  };
  lot_exists: {
    lotId: string;
    credits: MicroCredits;
    source: string;
    reference: string;
    expiresAt: Instant | null;
  };
  adjustment_exists: { reference: string; credits: MicroCredits };
  top_up_exists: { amount: bigint; currency: string };
  refund_exists: { amount: bigint; currency: string };

  // The subscription does not allow it.
  no_subscription: unknown;
  already_subscribed: { planId: string; cancelled: boolean };
  already_cancelled: unknown;
  not_cancelled: unknown;
  /** A fee was not paid; `price` is the plan's, of which less may be owed. */
  subscription_suspended: {
    price: bigint;
    currency: string;
    interval: "month" | "year";
  };
  /** What is asked for holds already, or is planned. */
  no_change: SettingThatHolds;

  // Prices and payment.
  no_plan_price: { planId: string; currency: string };
  /** The meter has none at that instant. */
  no_price: { meter: string };
  no_credit_price: { currency: string };
  no_payment_method: unknown;
  /** There is one top-up at a time. */
  top_up_pending: unknown;
  below_minimum: { least: bigint; currency: string };
  above_maximum: { most: bigint; currency: string };
  /** The limits of the day and the month leave less for top-ups. */
  above_limit: { left: bigint; currency: string };
  /** A limit is smaller than what is charged each time. */
  limit_below_amount: {
    per: "day" | "month";
    amount: bigint;
    limit: bigint;
    currency: string;
  };
  /** Only what was paid can go back. */
  not_paid: { paymentId: string; status: string };
  /** Less of the payment can still go back; 0: all of it went back, or is to. */
  exceeds_refundable: {
    paymentId: string;
    left: bigint;
    currency: string;
  };

  // Credits.
  /** More than none must be named. */
  no_credits: unknown;
  /** More than 64 bits hold; `most` still fits. */
  overflow: { most: MicroCredits };
  /** A lot of such an id belongs to a subscription or a top-up. */
  reserved_lot_id: { lotId: string };
  /** The lot would end before it begins. */
  already_ended: { at: Instant };
  /** Only what nobody has drawn can be taken back; 0: it was used, has expired or was withdrawn. */
  exceeds_remaining: { lotId: string; remaining: MicroCredits };
  /** Not a whole number from 0 to `most`. */
  invalid_quantity: { most: number };

  // Versions of the catalogue, which never change backwards.
  /** Other terms begin at that very instant. */
  version_exists: unknown;
  /** It would change what holds before `earliest`. */
  too_early: { earliest: Instant };
  /** Stated without an instant, while other terms are to begin at `at`, later than these could. */
  version_planned: { at: Instant };
  /** Stated without an instant, it could begin at `earliest` only, when the next one asked for holds. */
  version_overtaken: { earliest: Instant };

  // Dead letters; `place` is the message's, `usage.events/2/1041`.
  already_dismissed: {
    place: string;
    at: Instant;
    by: string;
    reason: string;
  };
  /** It was published again; what became of it then is another message. */
  already_retried: { place: string; at: Instant };
  /** There is nothing to publish again: `detail` says that messages were lost, or had no value. */
  no_payload: { place: string; detail: string };
  /** None waits for a decision, of that reason or (null) of any. */
  no_dead_letters: { reason: string | null };

  /** More than is read at once. */
  range_too_large: unknown;
}

type SettingThatHolds =
  | { setting: "time_zone"; timeZone: string }
  | { setting: "threshold"; threshold: MicroCredits }
  /** `from` null: now. */
  | { setting: "plan"; planId: string; from: Instant | null }
  /** `planned`: once what is paid has passed. */
  | {
      setting: "interval";
      interval: "month" | "year";
      planned: boolean;
    }
  | {
      setting: "add_on";
      addOnId: string;
      units: number;
      from: Instant | null;
    };

export type RefusalKind = keyof Figures;

/** One refusal, or any of those named. */
export type Refusal<K extends RefusalKind = RefusalKind> = {
  [Kind in K]: { readonly kind: Kind } & Readonly<Figures[Kind]>;
}[K];

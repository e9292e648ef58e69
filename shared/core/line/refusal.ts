import type { AccountId, Instant } from "./account.ts";
import type { MicroCredits } from "./credit-line.ts";

/**
 * Why something that was asked for is not done: every name there is, with the figures that a sentence
 * about it needs. Money is in the minor unit of its `currency` (ISO 4217). The names are the codes of
 * the API; shared/contract/refusals.ts has the sentences.
 */
interface Figures {
  // Nothing has that id.
  unknown_account: { readonly accountId: AccountId };
  unknown_lot: { readonly lotId: string };
  unknown_payment: { readonly paymentId: string };
  /** It was never metered. */
  unknown_event: { readonly eventId: string };
  unknown_key: { readonly keyId: string };
  unknown_dead_letter: { readonly place: string };
  /** It was never priced. */
  unknown_meter: { readonly meter: string };
  /** The catalogue does not offer it now. */
  unknown_plan: { readonly planId: string };
  unknown_add_on: { readonly addOnId: string };
  unknown_time_zone: { readonly timeZone: string };

  // The id names something else than what is asked for.
  account_exists: {
    readonly accountId: AccountId;
    readonly timeZone: string;
    readonly currency: string;
    readonly threshold: MicroCredits;
  };
  lot_exists: {
    readonly lotId: string;
    readonly credits: MicroCredits;
    readonly source: string;
    readonly reference: string;
    readonly expiresAt: Instant | null;
  };
  adjustment_exists: { readonly reference: string; readonly credits: MicroCredits };
  top_up_exists: { readonly amount: bigint; readonly currency: string };
  refund_exists: { readonly amount: bigint; readonly currency: string };

  // The subscription does not allow it.
  no_subscription: unknown;
  already_subscribed: { readonly planId: string; readonly cancelled: boolean };
  already_cancelled: unknown;
  not_cancelled: unknown;
  /** A fee was not paid; `price` is the plan's, of which less may be owed. */
  subscription_suspended: {
    readonly price: bigint;
    readonly currency: string;
    readonly interval: "month" | "year";
  };
  /** What is asked for holds already, or is planned. */
  no_change: SettingThatHolds;

  // Prices and payment.
  no_plan_price: { readonly planId: string; readonly currency: string };
  /** The meter has none at that instant. */
  no_price: { readonly meter: string };
  no_credit_price: { readonly currency: string };
  no_payment_method: unknown;
  /** There is one top-up at a time. */
  top_up_pending: unknown;
  below_minimum: { readonly least: bigint; readonly currency: string };
  above_maximum: { readonly most: bigint; readonly currency: string };
  /** The limits of the day and the month leave less for top-ups. */
  above_limit: { readonly left: bigint; readonly currency: string };
  /** A limit is smaller than what is charged each time. */
  limit_below_amount: {
    readonly per: "day" | "month";
    readonly amount: bigint;
    readonly limit: bigint;
    readonly currency: string;
  };
  /** Only what was paid can go back. */
  not_paid: { readonly paymentId: string; readonly status: string };
  /** Less of the payment can still go back; 0: all of it went back, or is to. */
  exceeds_refundable: {
    readonly paymentId: string;
    readonly left: bigint;
    readonly currency: string;
  };

  // Credits.
  /** More than none must be named. */
  no_credits: unknown;
  /** More than 64 bits hold; `most` still fits. */
  overflow: { readonly most: MicroCredits };
  /** A lot of such an id belongs to a subscription or a top-up. */
  reserved_lot_id: { readonly lotId: string };
  /** The lot would end before it begins. */
  already_ended: { readonly at: Instant };
  /** Only what nobody has drawn can be taken back; 0: it was used, has expired or was withdrawn. */
  exceeds_remaining: { readonly lotId: string; readonly remaining: MicroCredits };
  /** Not a whole number from 0 to `most`. */
  invalid_quantity: { readonly most: number };

  // Versions of the catalogue, which never change backwards.
  /** Other terms begin at that very instant. */
  version_exists: unknown;
  /** It would change what holds before `earliest`. */
  too_early: { readonly earliest: Instant };
  /** Stated without an instant, while other terms are to begin at `at`, later than these could. */
  version_planned: { readonly at: Instant };
  /** Stated without an instant, it could begin at `earliest` only, when the next one asked for holds. */
  version_overtaken: { readonly earliest: Instant };

  // Dead letters; `place` is the message's, `usage.events/2/1041`.
  already_dismissed: {
    readonly place: string;
    readonly at: Instant;
    readonly by: string;
    readonly reason: string;
  };
  /** It was published again; what became of it then is another message. */
  already_retried: { readonly place: string; readonly at: Instant };
  /** There is nothing to publish again: `detail` says that messages were lost, or had no value. */
  no_payload: { readonly place: string; readonly detail: string };
  /** None waits for a decision, of that reason or (null) of any. */
  no_dead_letters: { readonly reason: string | null };

  /** More than is read at once. */
  range_too_large: unknown;
}

type SettingThatHolds =
  | { readonly setting: "time_zone"; readonly timeZone: string }
  | { readonly setting: "threshold"; readonly threshold: MicroCredits }
  /** `from` null: now. */
  | { readonly setting: "plan"; readonly planId: string; readonly from: Instant | null }
  /** `planned`: once what is paid has passed. */
  | {
      readonly setting: "interval";
      readonly interval: "month" | "year";
      readonly planned: boolean;
    }
  | {
      readonly setting: "add_on";
      readonly addOnId: string;
      readonly units: number;
      readonly from: Instant | null;
    };

export type RefusalKind = keyof Figures;

/** One refusal, or any of those named. */
export type Refusal<K extends RefusalKind = RefusalKind> = {
  [Kind in K]: { readonly kind: Kind } & Figures[Kind];
}[K];

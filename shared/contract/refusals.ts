import type { Refusal, RefusalKind } from "../core/line/refusal.ts";
import { NO_PAYMENT_METHOD } from "../core/payments/decline.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { formatInstant } from "../core/text/instant-text.ts";
import { moneyText } from "../core/text/money.ts";
import { countOf } from "../core/text/text.ts";

/** How a refusal is shown. */
interface Row<K extends RefusalKind> {
  /** What a customer reads, who knows no commands: what is so, and what they can do. */
  sentence(figures: Refusal<K>): string;
  /** HTTP's; 422 where it is left out. */
  readonly status?: number;
  /** The field of the API's request that is wrong, where it is always the same one. */
  readonly field?: string;
  /** What the command line adds: the command or the option that helps. */
  readonly hint?: string;
}

const REFUSALS: { readonly [K in RefusalKind]: Row<K> } = {
  unknown_account: {
    sentence: ({ accountId }) => `there is no account ${accountId}`,
    status: 404,
    field: "account_id",
  },
  unknown_lot: {
    sentence: ({ lotId }) => `there is no lot ${lotId}`,
    status: 404,
    field: "lot_id",
    hint: "drawdown lots",
  },
  unknown_payment: {
    sentence: ({ paymentId }) => `there is no payment ${paymentId}`,
    status: 404,
    field: "payment_id",
    hint: "drawdown payments",
  },
  unknown_event: {
    sentence: ({ eventId }) => `no event ${eventId} has been metered`,
    status: 404,
    field: "event_id",
  },
  unknown_key: {
    sentence: ({ keyId }) => `there is no key ${keyId}`,
    status: 404,
    field: "key_id",
    hint: "drawdown key list",
  },
  unknown_dead_letter: {
    sentence: ({ place }) => `there is no dead letter at ${place}`,
    status: 404,
    hint: "drawdown dead-letters list",
  },
  unknown_meter: {
    sentence: ({ meter }) => `there is no meter ${meter}`,
    field: "meter",
    hint: "drawdown rate list",
  },
  unknown_plan: {
    sentence: ({ planId }) => `there is no plan ${planId} now`,
    field: "plan_id",
    hint: "drawdown catalogue show",
  },
  unknown_add_on: {
    sentence: ({ addOnId }) => `there is no add-on ${addOnId} now`,
    field: "add_on_id",
    hint: "drawdown catalogue show",
  },
  unknown_time_zone: {
    sentence: ({ timeZone }) => `there is no time zone ${timeZone}`,
    field: "time_zone",
  },

  account_exists: {
    sentence: ({ accountId, timeZone, currency, threshold }) =>
      `account ${accountId} already exists with other settings: time zone ${timeZone}, currency ${currency}, threshold ${formatCredits(threshold)} credits`,
    status: 409,
    field: "account_id",
  },
  lot_exists: {
    sentence: ({ lotId, credits, source, reference, expiresAt }) =>
      `lot ${lotId} already exists as another grant: ${formatCredits(credits)} credits, ${source}, ${reference === "" ? "no reference" : `reference ${reference}`}, ends ${formatInstant(expiresAt)}`,
    status: 409,
    field: "lot_id",
  },
  adjustment_exists: {
    sentence: ({ reference, credits }) =>
      `adjustment ${reference} already exists, of ${formatCredits(credits)} credits`,
    status: 409,
    field: "reference",
  },
  top_up_exists: {
    sentence: ({ amount, currency }) =>
      `a top-up of ${moneyText(amount, currency)} already exists under this key; ask for another under another key`,
    status: 409,
    field: "Idempotency-Key",
    hint: "--key",
  },
  refund_exists: {
    sentence: ({ amount, currency }) =>
      `a refund of ${moneyText(amount, currency)} already exists under this key; ask for another under another key`,
    status: 409,
    field: "Idempotency-Key",
    hint: "--key",
  },

  no_subscription: {
    sentence: () => "the account has no subscription",
    hint: "drawdown subscription start",
  },
  already_subscribed: {
    sentence: ({ planId, cancelled }) =>
      `the account already has a subscription, to plan ${planId}; ${cancelled ? "resume" : "change"} it, or start another once it has ended`,
  },
  already_cancelled: { sentence: () => "the subscription is already cancelled" },
  not_cancelled: { sentence: () => "the subscription is not cancelled" },
  subscription_suspended: {
    sentence: ({ price, currency, interval }) =>
      `the subscription is suspended: its fee of ${moneyText(price, currency)} a ${interval} is not paid`,
  },
  no_change: { sentence: holdsAlready },

  no_plan_price: {
    sentence: ({ planId, currency }) => `plan ${planId} has no price in ${currency}`,
    field: "plan_id",
  },
  no_price: {
    sentence: ({ meter }) => `meter ${meter} has no price now`,
    field: "meter",
    hint: "drawdown rate list",
  },
  no_credit_price: {
    sentence: ({ currency }) => `credits cannot be bought in ${currency} at the moment`,
    hint: "drawdown catalogue apply",
  },
  no_payment_method: {
    sentence: () => NO_PAYMENT_METHOD,
    hint: "drawdown payment-method set",
  },
  top_up_pending: {
    sentence: () => "a top-up is already pending; ask again once it is settled",
    hint: "drawdown top-up list",
  },
  below_minimum: {
    sentence: ({ least, currency }) => `the amount must be at least ${moneyText(least, currency)}`,
    field: "amount",
  },
  above_maximum: {
    sentence: ({ most, currency }) => `the amount must be at most ${moneyText(most, currency)}`,
    field: "amount",
  },
  above_limit: {
    sentence: ({ left, currency }) =>
      `the limits of the day and the month leave ${moneyText(left, currency)} for top-ups now`,
    field: "amount",
    hint: "drawdown top-up set",
  },
  limit_below_amount: {
    sentence: ({ per, amount, limit, currency }) =>
      `the amount of ${moneyText(amount, currency)} is more than the limit of ${moneyText(limit, currency)} a ${per}; change one of them, or both at once`,
    field: "amount",
  },
  not_paid: {
    sentence: ({ paymentId, status }) =>
      `payment ${paymentId} is ${status}; only what was paid can be refunded`,
    field: "payment_id",
  },
  exceeds_refundable: {
    sentence: ({ paymentId, left, currency }) =>
      left === 0n
        ? `payment ${paymentId} was refunded in full, or is about to be`
        : `only ${moneyText(left, currency)} of payment ${paymentId} can still be refunded`,
    field: "amount",
    hint: "drawdown payment show",
  },

  no_credits: { sentence: () => "the credits must be more than 0", field: "credits" },
  overflow: {
    sentence: ({ most }) =>
      `that is too much for one account: at most ${formatCredits(most)} credits are possible`,
  },
  reserved_lot_id: {
    sentence: ({ lotId }) =>
      `lot id ${lotId} is reserved: ids that begin with plan: or top-up: belong to subscriptions and top-ups; choose another`,
    field: "lot_id",
  },
  already_ended: {
    sentence: ({ at }) =>
      `the lot would end at ${formatInstant(at)}, which has passed; choose a later end`,
    field: "expires_at",
  },
  exceeds_remaining: {
    sentence: ({ lotId, remaining }) =>
      remaining === 0n
        ? `nothing remains of lot ${lotId}: it was used, has expired or was withdrawn`
        : `only ${formatCredits(remaining)} credits remain of lot ${lotId}`,
    field: "credits",
    hint: "drawdown lots",
  },
  invalid_quantity: {
    sentence: ({ most }) => `an account can have at most ${countOf(most, "unit")} of an add-on`,
    field: "quantity",
  },

  version_exists: {
    sentence: () =>
      "other terms begin at that instant, and what exists never changes; state a later from",
    status: 409,
    hint: "drawdown catalogue show",
  },
  too_early: {
    sentence: ({ earliest }) =>
      `it exists and cannot change before ${formatInstant(earliest)}; state a later from`,
  },
  version_planned: {
    sentence: ({ at }) =>
      `other terms begin at ${formatInstant(at)}; state both as versions, each with its from`,
  },
  version_overtaken: {
    sentence: ({ earliest }) =>
      `it cannot begin before ${formatInstant(earliest)}, when the next version already holds; state its from, or leave it out`,
  },

  already_dismissed: {
    sentence: ({ place, at, by, reason }) =>
      `dead letter ${place} was dismissed by ${by} at ${formatInstant(at)}: ${reason}`,
  },
  already_retried: {
    sentence: ({ place, at }) =>
      `dead letter ${place} was published again at ${formatInstant(at)}; if that became a dead letter, dismiss the new one`,
  },
  no_payload: {
    sentence: ({ place, detail }) =>
      `dead letter ${place} has no bytes to publish again (${detail}); dismiss it`,
    hint: "drawdown dead-letters dismiss",
  },
  no_dead_letters: {
    sentence: ({ reason }) =>
      `no dead letter${reason === null ? "" : ` of reason ${reason}`} waits for a decision`,
  },

  range_too_large: {
    sentence: () => "there is too much in that range to read at once; ask for a shorter one",
    field: "from",
  },
};

function holdsAlready(held: Refusal<"no_change">): string {
  switch (held.setting) {
    case "time_zone":
      return `the time zone is already ${held.timeZone}`;
    case "threshold":
      return `the threshold is already ${formatCredits(held.threshold)} credits`;
    case "plan":
      return held.from === null
        ? `the plan is already ${held.planId}`
        : `the plan already changes to ${held.planId} at ${formatInstant(held.from)}`;
    case "interval":
      return held.planned
        ? `the subscription is already set to be paid by the ${held.interval}, once what is paid has passed`
        : `the subscription is already paid by the ${held.interval}`;
    case "add_on": {
      if (held.units === 0 && held.from === null) {
        return `the account does not have add-on ${held.addOnId}`;
      }
      const from = held.from === null ? "" : ` from ${formatInstant(held.from)} on`;
      return `the account already has ${countOf(held.units, "unit")} of add-on ${held.addOnId}${from}`;
    }
  }
}

/** What is shown of a refusal, with the figures in its sentence; the row of its kind. */
export function explainRefusal<K extends RefusalKind>(refusal: Refusal<K>) {
  const { sentence, status = 422, field, hint }: Row<K> = REFUSALS[refusal.kind];
  return { sentence: sentence(refusal), status, field, hint };
}

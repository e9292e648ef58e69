import type { Refusal, RefusalKind } from "../core/line/refusal.ts";
import { NO_PAYMENT_METHOD } from "../core/payments/decline.ts";
import { formatCredits, overdraftText } from "../core/text/credits-text.ts";
import { formatInstant } from "../core/text/instant-text.ts";
import { moneyText } from "../core/text/money.ts";
import { countOf } from "../core/text/text.ts";

type Sentence<K extends RefusalKind> = (figures: Refusal<K>) => string;

/** What is wrong and what to do, for a customer, who knows no commands. */
const SENTENCES: { readonly [K in RefusalKind]: Sentence<K> } = {
  unknown_account: ({ accountId }) => `there is no account ${accountId}`,
  unknown_lot: ({ lotId }) => `there is no lot ${lotId}`,
  unknown_payment: ({ paymentId }) => `there is no payment ${paymentId}`,
  unknown_hold: ({ holdId }) => `the account has no hold ${holdId}`,
  unknown_budget: (budget) => `the account has no ${budgetText(budget)}`,
  unknown_event: ({ eventId, pastUntil }) =>
    pastUntil === null
      ? `no event ${eventId} has been metered`
      : `no event ${eventId} has been metered since ${formatInstant(pastUntil)}; events from before are past retention`,
  several_sources: ({ eventId, sources }) =>
    `events of several sources have the id ${eventId}; state the source, one of ${sources.map((source) => JSON.stringify(source)).join(", ")}`,
  unknown_key: ({ keyId }) => `there is no key ${keyId}`,
  unknown_token: ({ tokenId }) => `there is no dashboard token ${tokenId} of this account`,
  unknown_dead_letter: ({ place }) => `there is no dead letter at ${place}`,
  unknown_webhook: ({ endpointId }) => `there is no webhook endpoint ${endpointId}`,
  unknown_delivery: ({ webhookId }) =>
    `there is no delivery ${webhookId} to this endpoint; it may be past its retention`,
  webhook_url: ({ problem }) => `the URL ${problem}`,
  too_many_webhooks: ({ most }) =>
    `there are ${countOf(most, "webhook endpoint")} already, which is the most; delete one first`,
  unknown_meter: ({ meter }) => `there is no meter ${meter}`,
  unknown_plan: ({ planId }) => `there is no plan ${planId} now`,
  unknown_add_on: ({ addOnId }) => `there is no add-on ${addOnId} now`,
  unknown_time_zone: ({ timeZone }) => `there is no time zone ${timeZone}`,

  account_exists: ({ accountId, timeZone, currency, threshold }) =>
    `account ${accountId} already exists with other settings: time zone ${timeZone}, currency ${currency}, threshold ${formatCredits(threshold)} credits`,
  lot_exists: ({ lotId, credits, source, reference, expiresAt }) =>
    `lot ${lotId} already exists as another grant: ${formatCredits(credits)} credits, ${source}, ${reference === "" ? "no reference" : `reference ${reference}`}, ends ${formatInstant(expiresAt)}`,
  adjustment_exists: ({ reference, credits }) =>
    `adjustment ${reference} already exists, of ${formatCredits(credits)} credits`,
  top_up_exists: ({ amount, currency }) =>
    `a top-up of ${moneyText(amount, currency)} already exists under this key; ask for another under another key`,
  refund_exists: ({ amount, currency }) =>
    `a refund of ${moneyText(amount, currency)} already exists under this key; ask for another under another key`,
  hold_exists: ({ holdId, credits, at }) =>
    `hold ${holdId} of ${formatCredits(credits)} credits was asked for at ${formatInstant(at)}, otherwise than now; ask for another under another id`,

  no_subscription: () => "the account has no subscription",
  already_subscribed: ({ planId, cancelled }) =>
    `the account already has a subscription, to plan ${planId}; ${cancelled ? "resume" : "change"} it, or start another once it has ended`,
  already_cancelled: () => "the subscription is already cancelled",
  not_cancelled: () => "the subscription is not cancelled",
  subscription_suspended: ({ price, currency, interval }) =>
    `the subscription is suspended: its fee of ${moneyText(price, currency)} a ${interval} is not paid`,
  fee_unpaid: ({ paymentId, planId, amount, currency }) =>
    `the fee of ${moneyText(amount, currency)} for plan ${planId} is not paid yet (${paymentId}); it has to be paid first: if it was declined, set another payment method, which is charged for it immediately`,
  no_change: unchanged,

  no_plan_price: ({ planId, currency }) => `plan ${planId} has no price in ${currency}`,
  no_price: ({ meter, detail }) => detail ?? `meter ${meter} has no price now`,
  no_credit_price: ({ currency }) => `credits cannot be bought in ${currency} at the moment`,
  no_payment_method: () => NO_PAYMENT_METHOD,
  no_way_to_pay: ({ planId, price, currency, interval }) =>
    `plan ${planId} costs ${moneyText(price, currency)} a ${interval} and the account has no payment method; set one first, or have the seller mark the account as invoiced elsewhere`,
  top_up_pending: () => "a top-up is already pending; ask again once it is settled",
  too_many_attempts: ({ most, until }) =>
    `payments and payment methods of an account can be tried ${countOf(most, "time")} an hour; try again at ${formatInstant(until)}`,
  below_minimum: ({ least, currency }) =>
    `the amount must be at least ${moneyText(least, currency)}`,
  above_maximum: ({ most, currency }) => `the amount must be at most ${moneyText(most, currency)}`,
  above_limit: ({ left, per, limit, byCeiling, currency }) =>
    `the ${byCeiling ? "seller's ceiling" : "limit"} of ${moneyText(limit, currency)} a ${per} leaves ${moneyText(left, currency)} for top-ups now`,
  above_ceiling: ({ per, asked, ceiling, currency }) =>
    per === "top_up"
      ? `a top-up of ${moneyText(asked, currency)} is above the seller's ceiling of ${moneyText(ceiling, currency)} for one top-up`
      : `a limit of ${moneyText(asked, currency)} a ${per} is above the seller's ceiling of ${moneyText(ceiling, currency)} a ${per}`,
  threshold_too_high: ({ most, amount, currency }) =>
    `the threshold can be at most ${formatCredits(most)} credits: one top-up, of at most ${moneyText(amount, currency)}, must bring an empty account above it`,
  limit_below_amount: ({ per, amount, limit, currency }) =>
    `the amount of ${moneyText(amount, currency)} is more than the limit of ${moneyText(limit, currency)} a ${per}; change one of them, or both at once`,
  not_paid: ({ paymentId, status }) =>
    `payment ${paymentId} is ${status}; only what was paid can be refunded`,
  exceeds_refundable: ({ paymentId, left, currency }) =>
    left === 0n
      ? `payment ${paymentId} was refunded in full, or is about to be`
      : `only ${moneyText(left, currency)} of payment ${paymentId} can still be refunded`,

  insufficient_credits: ({ asked, available, most }) => {
    const overdrawn = most > available ? `, or ${formatCredits(most)} with the overdraft` : "";
    return `the hold asks for ${formatCredits(asked)} credits, and ${formatCredits(available)} are available${overdrawn}`;
  },
  hold_captured: ({ holdId, credits }) =>
    `hold ${holdId} is captured, with a final amount of ${formatCredits(credits)} credits`,
  hold_ended: ({ holdId, how, at }) =>
    how === "released"
      ? `hold ${holdId} was released at ${formatInstant(at)}`
      : `the time of hold ${holdId} was over at ${formatInstant(at)}; what it set aside is back`,
  exceeds_hold: ({ holdId, credits }) =>
    `hold ${holdId} set ${formatCredits(credits)} credits aside; usage beyond them is metered all the same`,

  budget_used_up: ({ asked, left, turnsAt, ...budget }) => {
    const when =
      turnsAt === null ? "which never turns" : `which turns at ${formatInstant(turnsAt)}`;
    return `the ${budgetText(budget)}, ${when}, has ${formatCredits(left)} credits left of the ${formatCredits(asked)} that are asked for`;
  },
  too_many_budget_dimensions: ({ most }) =>
    `an account can have budgets for ${most} dimensions and windows; delete those of another dimension or window first`,

  no_credits: () => "the credits must be more than 0",
  overflow: ({ most }) =>
    `that is too much for one account: at most ${formatCredits(most)} credits are possible`,
  reserved_lot_id: ({ lotId }) =>
    `lot id ${lotId} is reserved: ids that begin with plan: or top-up: belong to subscriptions and top-ups; choose another`,
  already_ended: ({ at }) =>
    `the lot would end at ${formatInstant(at)}, which has passed; choose a later end`,
  exceeds_remaining: ({ lotId, remaining }) =>
    remaining === 0n
      ? `nothing remains of lot ${lotId}: it was used, has expired or was withdrawn`
      : `only ${formatCredits(remaining)} credits remain of lot ${lotId}`,
  invalid_quantity: ({ most }) =>
    `an account can have at most ${countOf(most, "unit")} of an add-on`,

  version_exists: () =>
    "other terms begin at that instant, and what exists never changes; state a later from",
  too_early: ({ earliest }) =>
    `it exists and cannot change before ${formatInstant(earliest)}; state a later from`,
  priced_by_dimensions: ({ meter }) =>
    `${meter} has rates by dimensions or bands; state them in a catalogue file`,
  version_planned: ({ at }) =>
    `other terms begin at ${formatInstant(at)}; state both as versions, each with its from`,
  version_overtaken: ({ earliest }) =>
    `it cannot begin before ${formatInstant(earliest)}, when the next version already holds; state its from, or leave it out`,

  already_dismissed: ({ place, at, by, reason }) =>
    `dead letter ${place} was dismissed by ${by} at ${formatInstant(at)}: ${reason}`,
  already_retried: ({ place, at }) =>
    `dead letter ${place} was published again at ${formatInstant(at)}; if that became a dead letter, dismiss the new one`,
  no_payload: ({ place, detail }) =>
    `dead letter ${place} has no bytes to publish again (${detail}); dismiss it`,
  payload_cut: ({ place, size }) =>
    `dead letter ${place} was cut: its ${countOf(size, "byte")} are more than is kept to publish again; publish it from its place on the topic, or dismiss it`,
  none_to_retry: ({ withoutBytes, cut }) => {
    const why = [
      ...(withoutBytes === 0 ? [] : [`${countOf(withoutBytes, "has", "have")} no bytes`]),
      ...(cut === 0 ? [] : [`${countOf(cut, "was", "were")} too large to be kept whole`]),
    ];
    return `none of the open dead letters can be published again: ${why.join(", ")}; publish them from the topic, or dismiss them`;
  },
  no_dead_letters: ({ reason }) =>
    `no dead letter${reason === null ? "" : ` of reason ${reason}`} waits for a decision`,

  range_too_large: () => "there is too much in that range to read at once; ask for a shorter one",
  usage_past_retention: ({ until }) =>
    `single events from before ${formatInstant(until)} are past retention; choose a start from then on`,
};

interface Details {
  /** Of HTTP; default 422. */
  readonly status?: number;
  /** The wrong field of the API's request, if it is always the same one. */
  readonly field?: string;
  /** The command or option that helps; the command line adds it to the sentence. */
  readonly hint?: string;
}

const DETAILS: { readonly [K in RefusalKind]?: Details } = {
  unknown_account: { status: 404, field: "account_id" },
  unknown_lot: { status: 404, field: "lot_id", hint: "drawdown lots" },
  unknown_payment: { status: 404, field: "payment_id", hint: "drawdown payments" },
  unknown_hold: { status: 404, field: "hold_id" },
  unknown_budget: { status: 404, hint: "drawdown budget list" },
  unknown_event: { status: 404, field: "event_id", hint: "drawdown dead-letters list" },
  several_sources: { status: 409, field: "source", hint: "--source" },
  unknown_key: { status: 404, field: "key_id", hint: "drawdown key list" },
  unknown_token: { status: 404, field: "token_id", hint: "drawdown token list" },
  unknown_dead_letter: { status: 404, hint: "drawdown dead-letters list" },
  unknown_webhook: { status: 404, field: "endpoint_id", hint: "drawdown webhooks list" },
  unknown_delivery: { status: 404, field: "webhook_id", hint: "drawdown webhooks deliveries" },
  webhook_url: { field: "url" },
  too_many_webhooks: { status: 409, hint: "drawdown webhooks delete" },
  unknown_meter: { field: "meter", hint: "drawdown rate list" },
  unknown_plan: { field: "plan_id", hint: "drawdown catalogue show" },
  unknown_add_on: { field: "add_on_id", hint: "drawdown catalogue show" },
  unknown_time_zone: { field: "time_zone" },
  account_exists: { status: 409, field: "account_id" },
  lot_exists: { status: 409, field: "lot_id" },
  adjustment_exists: { status: 409, field: "reference" },
  top_up_exists: { status: 409, field: "Idempotency-Key", hint: "--key" },
  refund_exists: { status: 409, field: "Idempotency-Key", hint: "--key" },
  hold_exists: { status: 409, field: "hold_id" },
  no_subscription: { hint: "drawdown subscription start" },
  no_plan_price: { field: "plan_id" },
  no_price: { field: "meter", hint: "drawdown rate list" },
  no_credit_price: { hint: "drawdown catalogue apply" },
  no_payment_method: { hint: "drawdown payment-method set" },
  no_way_to_pay: { hint: "drawdown payment-method set" },
  fee_unpaid: { hint: "drawdown subscription show" },
  top_up_pending: { hint: "drawdown top-up list" },
  too_many_attempts: { status: 429 },
  below_minimum: { field: "amount" },
  above_maximum: { field: "amount" },
  above_limit: { field: "amount", hint: "drawdown top-up set" },
  above_ceiling: { hint: "drawdown top-up ceilings" },
  threshold_too_high: { field: "threshold" },
  limit_below_amount: { field: "amount" },
  not_paid: { field: "payment_id" },
  exceeds_refundable: { field: "amount", hint: "drawdown payment show" },
  insufficient_credits: { status: 402, field: "credits" },
  budget_used_up: { status: 402, field: "credits" },
  hold_captured: { status: 409, field: "hold_id" },
  hold_ended: { status: 409, field: "hold_id" },
  exceeds_hold: { field: "credits" },
  no_credits: { field: "credits" },
  reserved_lot_id: { field: "lot_id" },
  already_ended: { field: "expires_at" },
  exceeds_remaining: { field: "credits", hint: "drawdown lots" },
  invalid_quantity: { field: "quantity" },
  version_exists: { status: 409, hint: "drawdown catalogue show" },
  priced_by_dimensions: { status: 409, field: "meter", hint: "drawdown catalogue apply" },
  no_payload: { hint: "drawdown dead-letters dismiss" },
  payload_cut: { hint: "drawdown dead-letters dismiss" },
  range_too_large: { field: "from" },
  usage_past_retention: { field: "from" },
};

function budgetText({ dimension, window, value }: Omit<Refusal<"unknown_budget">, "kind">): string {
  const of = value === "" ? `every ${dimension}` : `${dimension} ${value}`;
  return window === "all" ? `budget of ${of} for all time` : `${window}'s budget of ${of}`;
}

function unchanged(same: Refusal<"no_change">): string {
  switch (same.setting) {
    case "time_zone":
      return `the time zone is already ${same.timeZone}`;
    case "threshold":
      return `the threshold is already ${formatCredits(same.threshold)} credits`;
    case "overdraft":
      return `the overdraft is already ${overdraftText(same.overdraft)}`;
    case "plan":
      return same.from === null
        ? `the plan is already ${same.planId}`
        : `the plan already changes to ${same.planId} at ${formatInstant(same.from)}`;
    case "interval":
      return same.planned
        ? `the subscription is already set to be paid by the ${same.interval}, once what is paid has passed`
        : `the subscription is already paid by the ${same.interval}`;
    case "add_on": {
      if (same.units === 0 && same.from === null) {
        return `the account does not have add-on ${same.addOnId}`;
      }
      const from = same.from === null ? "" : ` from ${formatInstant(same.from)} on`;
      return `the account already has ${countOf(same.units, "unit")} of add-on ${same.addOnId}${from}`;
    }
  }
}

/** A refusal's sentence with its figures, its HTTP status, and the field and hint of its kind. */
export function explainRefusal<K extends RefusalKind>(refusal: Refusal<K>) {
  const sentence: Sentence<K> = SENTENCES[refusal.kind];
  const { status = 422, field, hint }: Details = DETAILS[refusal.kind] ?? {};
  return { sentence: sentence(refusal), status, field, hint };
}

import { takePlan } from "../changes/change-plan.ts";
import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Fee } from "../month/fee.ts";
import { chargePeriod, creditsOfPeriod, type Paying } from "../month/fees-due.ts";
import type { Subscription, SubscriptionChange } from "../month/subscription.ts";
import type { FirstPart } from "../offer/billing-periods.ts";
import { type Catalogue, planAt, priceAt } from "../offer/catalogue.ts";
import { subscriptionAt } from "./subscription-at.ts";

/** What happened on an account's subscriptions, without prices. */
export interface PlanHistory {
  /** ISO 4217. */
  readonly currency: string;
  /** The months that brought credits. */
  readonly months: readonly PlanMonth[];
  /** In order. */
  readonly changes: readonly SubscriptionChange[];
}

/** A month that brought credits. */
interface PlanMonth {
  /** Of the subscription. */
  readonly number: number;
  readonly period: number;
  readonly planId: string;
  readonly at: Instant;
}

/** The credits and the price of a month, or of a change to another plan in mid-period. */
export interface PlanStep {
  readonly at: Instant;
  readonly planId: string;
  /** Null: the catalogue has no such plan then. */
  readonly credits: MicroCredits | null;
  /** In minor units; 0 if no paid stretch begins. Null: there is no such plan, or no price in the currency. */
  readonly price: bigint | null;
}

/**
 * What an account's subscriptions bring and cost under a catalogue, by the same rules that charge them.
 * Months, changes of plan and intervals are as they happened. Under the real catalogue, the result is
 * the real lots and fees.
 */
export function planSteps(
  { months, currency, changes }: PlanHistory,
  catalogue: Catalogue,
): PlanStep[] {
  const raises = changes.flatMap(({ kind, by, at, detail }) =>
    kind === "plan_changed" && by !== "schedule"
      ? [{ period: null, planId: detail["plan"] ?? "", at }]
      : [],
  );
  let state = notBegun(0, currency);
  const begun = months.map((month) => asBegun(month, changes));
  return [...begun, ...raises].sort(inOrder).map((taken) => {
    if (taken.period !== null && taken.number !== state.number) {
      state = notBegun(taken.number, currency);
    }
    const { step, after } =
      taken.period === null
        ? raise(taken, state, catalogue)
        : begin(taken, { ...state, nextInterval: intervalAt(changes, taken.at) }, catalogue);
    state = after;
    return step;
  });
}

/** The first month begins as it is subscribed, even if its credits came with a later payment. */
function asBegun(month: PlanMonth, changes: readonly SubscriptionChange[]): BegunMonth {
  if (month.period > 0) return { ...month, part: null };
  const subscribed = changes.find(
    ({ kind, detail }) => kind === "subscribed" && detail["number"] === `${month.number}`,
  );
  const { days, of_days: of } = subscribed?.detail ?? {};
  const part = days === undefined ? null : { days: Number(days), of: Number(of) };
  return { ...month, at: subscribed?.at ?? month.at, part };
}

/** With the part of the whole month that it was. */
interface BegunMonth extends PlanMonth {
  readonly part: FirstPart | null;
}

/** A change to another plan that took effect immediately. */
type Raise = Pick<PlanStep, "planId" | "at"> & { readonly period: null };

/** A change at the same instant as a turn comes after it. */
function inOrder(a: BegunMonth | Raise, b: BegunMonth | Raise): number {
  const last = Number.POSITIVE_INFINITY;
  return a.at - b.at || (a.period ?? last) - (b.period ?? last) || 0;
}

function intervalAt(changes: readonly SubscriptionChange[], at: Instant) {
  return subscriptionAt(changes, at).place?.interval ?? "month";
}

/** What a subscription was charged so far, and whether the catalogue has its plan and price. */
interface ChargeState extends Paying, Pick<Subscription, "periodCredits"> {
  readonly isGiven: boolean;
  readonly isPriced: boolean;
}

function notBegun(number: number, currency: string): ChargeState {
  return {
    ...{ number, currency, planId: "", interval: "month", nextInterval: null, period: -1 },
    ...{ paidUntil: 0, paidPrice: 0n, periodCredits: 0n, isGiven: true, isPriced: true },
    firstPart: null,
  };
}

interface Taken {
  readonly step: PlanStep;
  readonly after: ChargeState;
}

function begin(
  { period, planId, at, part }: BegunMonth,
  before: ChargeState,
  catalogue: Catalogue,
): Taken {
  const plan = planAt(catalogue, planId, at);
  const firstPart = plan?.firstMonth === "by_days" ? part : null;
  const periodCredits = creditsOfPeriod({ period, firstPart }, plan?.credits ?? 0n);
  const isGiven = plan !== null;
  const begun = { ...before, period, planId, firstPart, periodCredits, isGiven };
  const { subscription, fees } = chargePeriod(begun, catalogue, at);
  const isCharged = subscription !== begun;
  const after = isCharged
    ? { ...subscription, isPriced: isPriced(subscription, at, catalogue) }
    : begun;
  const price = isCharged && !after.isPriced ? null : sumOf(fees);
  return { step: { at, planId, credits: isGiven ? periodCredits : null, price }, after };
}

function raise({ planId, at }: Raise, before: ChargeState, catalogue: Catalogue): Taken {
  const plan = planAt(catalogue, planId, at);
  const unpriced = { ...before, isPriced: false };
  if (plan === null) {
    const step = { at, planId, credits: null, price: null };
    return { step, after: { ...unpriced, isGiven: false } };
  }
  const { subscription, fees, difference } = takePlan(plan, before, catalogue, at);
  const priced = before.isPriced && isPriced(subscription, at, catalogue);
  const credits = before.isGiven ? difference : null;
  const step = { at, planId, credits, price: priced ? sumOf(fees) : null };
  return { step, after: { ...subscription, isPriced: priced } };
}

/** True if the catalogue has the plan at the instant, with a price in the currency. */
function isPriced(
  { planId, currency, interval }: ChargeState,
  at: Instant,
  catalogue: Catalogue,
): boolean {
  return (
    planAt(catalogue, planId, at) !== null &&
    priceAt(catalogue, planId, currency, interval, at) !== null
  );
}

function sumOf(fees: readonly Fee[]): bigint {
  return fees.reduce((sum, { amount }) => sum + amount, 0n);
}

import {
  endOfMonthsLot,
  endOfOtherLot,
  type MonthBooks,
  periodStart,
  postCharge,
  postExpiry,
  postGrant,
} from "./month-books.ts";
import { chargeStretch, partOf } from "./month-fees.ts";
import { type Catalogue, type MonthSubscription, versionAt } from "./month-terms.ts";
import { MOST, sayAgainIfLow, sayIfLow } from "./naive-books.ts";

const GRACE = 15 * 60_000;

/** How far an account is settled: by the clock, and by what usage is known. */
export interface Until {
  readonly clock: number;
  /** All usage of the account up to here is taken to be known. */
  readonly usage: number;
  /** Metering has seen all usage up to here; at most `usage`. */
  readonly completeUntil: number;
}

/**
 * Posts everything due, one thing at a time, and compares the balance with the threshold once, at the
 * end. A low balance names the last charge that found too little, or else the last entry.
 */
export function settle(books: MonthBooks, catalogue: Catalogue, until: Until): void {
  const before = books.posted.length;
  let charged: string | null = null;
  for (let next = nextDue(books, until); next !== null; next = nextDue(books, until)) {
    if (next.kind === "turn") turn(books, next.subscription, catalogue);
    else if (next.kind === "expiry") postExpiry(books, next.lot);
    else chargeForPeriod(books, next.charge);
    if (!books.needed) charged = null;
    else if (next.kind === "charge") charged = `entry:${books.entries}`;
  }
  const posted = books.posted.slice(before);
  const cause = charged ?? `entry:${books.entries}`;
  if (posted.some(({ kind }) => kind === "grant")) sayAgainIfLow(books, cause);
  if (posted.some(({ credits }) => credits < 0n)) sayIfLow(books, cause);
}

type Due = {
  /** In the order of posting. */
  readonly key: number;
  readonly dueAt: number;
} & (
  | { readonly kind: "turn"; readonly subscription: MonthSubscription }
  | { readonly kind: "expiry"; readonly lot: MonthBooks["lots"][number] }
  | { readonly kind: "charge"; readonly charge: MonthBooks["dueCharges"][number] }
);

/**
 * Turns when the clock reaches them; expiries and charges when the grace for late usage is over; what
 * one event alone makes due after everything else.
 */
function nextDue(books: MonthBooks, { clock, usage, completeUntil }: Until): Due | null {
  const keyOf = (dueAt: number) =>
    dueAt <= completeUntil ? dueAt + GRACE : Number.POSITIVE_INFINITY;
  const due: Due[] = [];
  const { subscription } = books;
  if (subscription !== null && subscription.nextPeriodAt <= clock) {
    const dueAt = subscription.nextPeriodAt;
    due.push({ kind: "turn", key: dueAt, dueAt, subscription });
  }
  for (const lot of books.lots) {
    if (lot.left === 0n || lot.expiresAt === null || lot.expiresAt > usage) continue;
    due.push({ kind: "expiry", key: keyOf(lot.expiresAt), dueAt: lot.expiresAt, lot });
  }
  for (const charge of books.dueCharges) {
    if (charge.dueAt > usage) continue;
    due.push({ kind: "charge", key: keyOf(charge.dueAt), dueAt: charge.dueAt, charge });
  }
  if (due.length > 1) due.sort(byOrder);
  return due[0] ?? null;
}

/** Lots are already ordered by age, and the sort is stable. */
function byOrder(a: Due, b: Due): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.kind === "turn") return -1;
  if (b.kind === "turn") return 1;
  if (a.dueAt !== b.dueAt) return a.dueAt - b.dueAt;
  if (a.kind === "charge" && b.kind === "charge") {
    return a.charge.addOnId < b.charge.addOnId ? -1 : 1;
  }
  if (a.kind === b.kind) return 0;
  return a.kind === "expiry" ? -1 : 1;
}

/** Begins the next period under its terms, or ends the subscription. */
function turn(books: MonthBooks, subscription: MonthSubscription, catalogue: Catalogue): void {
  const at = subscription.nextPeriodAt;
  const period = subscription.period + 1;
  const isUnpaid = period >= subscription.paidUntil;
  if (isUnpaid && subscription.cancelled) {
    books.subscription = null;
    books.addOns = [];
    return;
  }
  subscription.planId = subscription.nextPlanId ?? subscription.planId;
  subscription.nextPlanId = null;
  subscription.period = period;
  subscription.nextPeriodAt = Math.max(periodStart(books, subscription, period + 1), at + 1);
  for (const use of books.addOns) use.quantity = use.nextQuantity;
  books.addOns = books.addOns.filter(({ quantity }) => quantity > 0);
  if (subscription.withheld !== null) {
    subscription.withheld.push(period);
    subscription.periodCredits = 0n;
    return;
  }
  if (isUnpaid) chargeStretch(books, subscription, catalogue, at);
  const lives = versionAt(catalogue.plans.get(subscription.planId), at)?.life ?? { kind: "usual" };
  const ends = endOfMonthsLot(books, subscription, period, lives);
  grantForPeriod(books, subscription, catalogue, { at, ends });
  oweForPeriod(books, subscription, catalogue, at);
}

/** Grants the month's credits of the current period at `at`; a turn says when they end. */
export function grantForPeriod(
  books: MonthBooks,
  subscription: MonthSubscription,
  catalogue: Catalogue,
  { at, ends }: { readonly at: number; readonly ends?: number | null },
): void {
  const { number, period, planId } = subscription;
  const plan = versionAt(catalogue.plans.get(planId), at);
  if (plan === null) throw new Error(`the catalogue has lost plan ${planId}`);
  const { credits, life } = plan;
  const expiresAt = ends === undefined ? endOfOtherLot(books, at, life) : ends;
  const lotId = `plan:${number}:${period}`;
  subscription.periodCredits = partOf(subscription, credits);
  const given = { lotId, credits: subscription.periodCredits };
  postGrant(books, { ...given, reference: planId, expiresAt }, at);
}

/** Marks each add-on in use to be charged for the current period. */
export function oweForPeriod(
  books: MonthBooks,
  { number, period }: MonthSubscription,
  catalogue: Catalogue,
  dueAt: number,
): void {
  for (const { addOnId, quantity: units } of books.addOns) {
    const addOn = versionAt(catalogue.addOns.get(addOnId), dueAt);
    if (addOn === null) throw new Error(`the catalogue has lost add-on ${addOnId}`);
    const exact = BigInt(units) * addOn.credits;
    const credits = exact < MOST ? exact : MOST;
    books.dueCharges.push({ addOnId, subscription: number, period, units, credits, dueAt });
  }
}

function chargeForPeriod(books: MonthBooks, charge: MonthBooks["dueCharges"][number]): void {
  books.dueCharges = books.dueCharges.filter((other) => other !== charge);
  postCharge(books, { ...charge, owed: 0 }, charge.dueAt);
}

import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import { addOnPrice } from "../month/add-on-charge.ts";
import { addOnAt } from "../offer/catalogue.ts";
import { type CountedMonth, countedMonth, priceOfMonth } from "../offer/month-price.ts";
import {
  type AccountVersion,
  carries,
  countsMonth,
  exactPrice,
  price,
  type Rate,
  rateOf,
  versionOf,
} from "../offer/rate-card.ts";
import { cardOf, type Rates } from "../offer/rates.ts";
import type { StatedCatalogue } from "../offer/stated-catalogue.ts";
import { type Dimensions, valueAt } from "../offer/value-tree.ts";
import { type PlanHistory, type PlanStep, planSteps } from "./plan-charges.ts";

/**
 * What was charged for a meter or an add-on, and what another catalogue would have charged. Only what
 * the other catalogue prices is compared.
 */
export interface Compared extends NoPrice {
  readonly wouldBe: MicroCredits;
  /** What the other catalogue has no price for; not part of the figures above. */
  readonly noPrice: NoPrice;
}

export interface NoPrice {
  readonly count: number;
  /** In the meter's unit, or units of the add-on. */
  readonly quantity: bigint;
  readonly charged: MicroCredits;
}

/** What a plan brought and cost, and what it would have; null: the other catalogue lacks the plan or price. */
export interface PlanCompared {
  readonly planId: string;
  readonly currency: string;
  readonly given: MicroCredits;
  readonly wouldGive: MicroCredits | null;
  /** In minor units: the fees that fell due. */
  readonly charged: bigint;
  readonly wouldCharge: bigint | null;
}

/** An account under another catalogue, by meter, add-on and plan. */
export interface AccountWhatIf {
  readonly meters: Map<string, Compared>;
  /** The same usage by the values of one dimension, if asked for; "": it has none. */
  readonly values: Map<string, Compared>;
  readonly addOns: Map<string, Compared>;
  plans: readonly PlanCompared[];
  readonly carried: Map<AccountVersion, UsedUnder>;
  readonly months: Map<CountedMonth, bigint>;
}

/** By account; filled row by row, so memory grows only with the accounts, their meters and values. */
export type WhatIf = Map<AccountId, AccountWhatIf>;

/** A metered event as it was priced. */
export interface PricedUsage {
  readonly accountId: AccountId;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt: Instant;
  readonly dimensions: Dimensions;
  readonly credits: MicroCredits;
}

/**
 * Adds an event, priced again as of when it occurred. `by`: the dimension by whose values it is summed, too.
 * `ratesOf`: the account whose price is taken, mostly its own.
 */
export function addUsage(
  whatIf: WhatIf,
  usage: PricedUsage,
  rates: Rates,
  by: string | null = null,
  ratesOf: AccountId = usage.accountId,
): void {
  const { meter, quantity, credits, dimensions } = usage;
  const account = accountIn(whatIf, usage.accountId);
  const rate = rateOf(cardOf(rates, ratesOf), usage);
  const wouldBe = rate === null ? null : priceAgain(account, rate, usage);
  const again = { quantity, charged: credits, wouldBe };
  addTo(account.meters, meter, again);
  if (by !== null) addTo(account.values, valueAt(dimensions, by) ?? "", again);
}

/**
 * By how much an event raises the price of all that the account used under a version of a meter. What was carried into
 * the range is unknown, so that what was charged stays the price where it is within a micro-credit of the
 * exact one: the same rates differ by nothing, unless events outside of the range were metered between its
 * own and carried remainders, too. What is priced by the month counts from the beginning of the range.
 */
function priceAgain(
  { carried, months }: AccountWhatIf,
  rate: Rate,
  { quantity, credits, occurredAt }: PricedUsage,
): MicroCredits {
  if (countsMonth(rate)) {
    const month = countedMonth(versionOf(rate), occurredAt);
    const used = months.get(month) ?? 0n;
    months.set(month, used + quantity);
    return priceOfMonth(rate, used + quantity) - priceOfMonth(rate, used);
  }
  if (!carries(rate)) return price(rate, quantity);
  const before = carried.get(versionOf(rate)) ?? NOTHING_USED;
  const after = {
    charged: before.charged + credits,
    exact: before.exact + exactPrice(rate, quantity),
  };
  carried.set(versionOf(rate), after);
  return priceOfAll(rate, after) - priceOfAll(rate, before);
}

/** What an account used under a version of a meter in the other catalogue. */
interface UsedUnder {
  readonly charged: MicroCredits;
  /** The exact price, in `1 / per` micro-credits. */
  readonly exact: bigint;
}

const NOTHING_USED: UsedUnder = { charged: 0n, exact: 0n };

function priceOfAll({ per }: Rate, { charged, exact }: UsedUnder): MicroCredits {
  const distance = charged * per - exact;
  return distance > -per && distance < per ? charged : exact / per;
}

/** A posted charge of an add-on. */
export interface PostedCharge {
  readonly accountId: AccountId;
  readonly addOnId: string;
  readonly units: bigint;
  readonly credits: MicroCredits;
  readonly dueAt: Instant;
}

/** Adds an add-on's charge, priced again as of when it fell due. */
export function addCharge(
  whatIf: WhatIf,
  { accountId, addOnId, units, credits, dueAt }: PostedCharge,
  { catalogue }: StatedCatalogue,
): void {
  const addOn = addOnAt(catalogue, addOnId, dueAt);
  const wouldBe = addOn === null ? null : addOnPrice(addOn, units);
  const again = { quantity: units, charged: credits, wouldBe };
  addTo(accountIn(whatIf, accountId).addOns, addOnId, again);
}

/** The lots of an account's plans, and the fees that fell due for them. */
export interface PlanBooks extends Pick<PlanHistory, "currency" | "changes"> {
  readonly accountId: AccountId;
  /** All lots of its subscriptions, including those before the range. */
  readonly lots: readonly {
    readonly lotId: string;
    readonly planId: string;
    readonly credits: MicroCredits;
    readonly at: Instant;
  }[];
  /** Money in minor units. */
  readonly fees: readonly {
    readonly planId: string;
    readonly amount: bigint;
    readonly at: Instant;
  }[];
}

/** From `from` until before `to`. */
export interface InstantRange {
  readonly from: Instant;
  readonly to: Instant;
}

/** Adds what an account's plans brought and cost in a range, and what they would have. */
export function addPlans(
  whatIf: WhatIf,
  books: PlanBooks,
  { catalogue }: StatedCatalogue,
  { from, to }: InstantRange,
): void {
  const { currency, changes } = books;
  const months = books.lots.flatMap(({ lotId, planId, at }) => {
    const month = REFERENCE.monthLot.read(lotId);
    return month === null ? [] : [{ ...month, planId, at }];
  });
  const isIn = ({ at }: { readonly at: Instant }) => at >= from && at < to;
  const steps = planSteps({ currency, months, changes }, catalogue).filter(isIn);
  const lots = books.lots.filter(isIn);
  const fees = books.fees.filter(isIn);
  const planIds = new Set([...steps, ...lots, ...fees].map(({ planId }) => planId));
  if (planIds.size === 0) return;
  accountIn(whatIf, books.accountId).plans = [...planIds].sort().map((planId) => {
    const ofPlan = (item: { readonly planId: string }) => item.planId === planId;
    return {
      ...{ planId, currency },
      given: sum(lots.filter(ofPlan).map(({ credits }) => credits)),
      charged: sum(fees.filter(ofPlan).map(({ amount }) => amount)),
      ...stepsTotal(steps.filter(ofPlan)),
    };
  });
}

function stepsTotal(steps: readonly PlanStep[]): Pick<PlanCompared, "wouldGive" | "wouldCharge"> {
  return {
    wouldGive: sumOrNull(steps.map(({ credits }) => credits)),
    wouldCharge: sumOrNull(steps.map((step) => step.price)),
  };
}

function sum(all: readonly bigint[]): bigint {
  return all.reduce((total, amount) => total + amount, 0n);
}

/** Null if any amount is null. */
function sumOrNull(all: readonly (bigint | null)[]): bigint | null {
  return all.reduce<bigint | null>(
    (total, amount) => (total === null || amount === null ? null : total + amount),
    0n,
  );
}

function accountIn(whatIf: WhatIf, accountId: AccountId): AccountWhatIf {
  const known = whatIf.get(accountId);
  if (known !== undefined) return known;
  const fresh: AccountWhatIf = {
    ...{ meters: new Map(), values: new Map(), addOns: new Map(), plans: [] },
    ...{ carried: new Map(), months: new Map() },
  };
  whatIf.set(accountId, fresh);
  return fresh;
}

function addTo(
  compared: Map<string, Compared>,
  id: string,
  { quantity, charged, wouldBe }: { quantity: bigint; charged: bigint; wouldBe: bigint | null },
): void {
  const charge = { count: 1, quantity, charged };
  const more =
    wouldBe === null ? { ...NOTHING, noPrice: charge } : { ...NOTHING, ...charge, wouldBe };
  compared.set(id, together(compared.get(id) ?? NOTHING, more));
}

/** The sum of no comparisons. */
export const NOTHING: Compared = {
  count: 0,
  quantity: 0n,
  charged: 0n,
  wouldBe: 0n,
  noPrice: { count: 0, quantity: 0n, charged: 0n },
};

/** The sum of two comparisons. */
export function together(a: Compared, b: Compared): Compared {
  return {
    ...both(a, b),
    wouldBe: a.wouldBe + b.wouldBe,
    noPrice: both(a.noPrice, b.noPrice),
  };
}

function both(a: NoPrice, b: NoPrice): NoPrice {
  return {
    count: a.count + b.count,
    quantity: a.quantity + b.quantity,
    charged: a.charged + b.charged,
  };
}

/** The sum over an account's usage and add-ons, in micro-credits. */
export function creditsOf({ meters, addOns }: AccountWhatIf): Compared {
  return [...meters.values(), ...addOns.values()].reduce(together, NOTHING);
}

/** How much more would be charged; negative: less. */
export function differenceOf({ charged, wouldBe }: Pick<Compared, "charged" | "wouldBe">): bigint {
  return wouldBe - charged;
}

import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { REFERENCE } from "../line/reference.ts";
import { addOnPrice } from "../month/add-on-charge.ts";
import { addOnAt } from "../offer/catalogue.ts";
import type { StatedCatalogue } from "../offer/stated-catalogue.ts";
import { type PlanHistory, type PlanStep, planSteps } from "./plan-charges.ts";
import { priceOf } from "./verify-usage.ts";

/**
 * What was charged for something of one kind, a meter's events or an add-on's charges, and what it
 * would have been under another catalogue. Only what the other one prices is compared.
 */
export interface Compared {
  readonly count: number;
  /** Of the meter's unit, or units of the add-on. */
  readonly quantity: bigint;
  readonly charged: MicroCredits;
  readonly wouldBe: MicroCredits;
  /** What the other catalogue has no price for, kept apart. */
  readonly noPrice: NoPrice;
}

export interface NoPrice {
  readonly count: number;
  readonly quantity: bigint;
  readonly charged: MicroCredits;
}

/** What a plan gave an account and cost it, and what it would have; null: the other catalogue does not tell. */
export interface PlanCompared {
  readonly planId: string;
  readonly currency: string;
  readonly given: MicroCredits;
  readonly wouldGive: MicroCredits | null;
  /** In minor units: the fees that fell due. */
  readonly charged: bigint;
  readonly wouldCharge: bigint | null;
}

/** An account under another catalogue: by meter, by add-on, and by plan. */
export interface AccountWhatIf {
  readonly meters: Map<string, Compared>;
  readonly addOns: Map<string, Compared>;
  plans: readonly PlanCompared[];
}

/** By account; filled row by row, so that memory grows with the accounts and their meters alone. */
export type WhatIf = Map<AccountId, AccountWhatIf>;

/** A metered event as it was priced. */
export interface PricedUsage {
  readonly accountId: AccountId;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt: Instant;
  readonly credits: MicroCredits;
}

/** Adds an event, priced again at the instant at which it occurred. */
export function addUsage(whatIf: WhatIf, usage: PricedUsage, { card }: StatedCatalogue): void {
  const { meter, quantity, credits } = usage;
  const wouldBe = priceOf(usage, card);
  addTo(accountIn(whatIf, usage.accountId).meters, meter, { quantity, charged: credits, wouldBe });
}

/** A charge of an add-on, as it was posted. */
export interface PostedCharge {
  readonly accountId: AccountId;
  readonly addOnId: string;
  readonly units: bigint;
  readonly credits: MicroCredits;
  readonly dueAt: Instant;
}

/** Adds an add-on's charge, priced again at the instant at which it fell due. */
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

/** What an account's plans brought, and the fees that fell due for them. */
export interface PlanBooks extends Pick<PlanHistory, "currency" | "changes"> {
  readonly accountId: AccountId;
  /** All that its subscriptions ever gave, also before the range. */
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

/** Instants from `from` on and before `to`. */
export interface InstantRange {
  readonly from: Instant;
  readonly to: Instant;
}

/** Adds what an account's plans gave and cost in a range, and what they would have. */
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
    const ofPlan = (one: { readonly planId: string }) => one.planId === planId;
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
  return all.reduce((total, one) => total + one, 0n);
}

/** One part that is not told leaves the whole untold. */
function sumOrNull(all: readonly (bigint | null)[]): bigint | null {
  return all.reduce<bigint | null>(
    (total, one) => (total === null || one === null ? null : total + one),
    0n,
  );
}

function accountIn(whatIf: WhatIf, accountId: AccountId): AccountWhatIf {
  const known = whatIf.get(accountId);
  if (known !== undefined) return known;
  const fresh: AccountWhatIf = { meters: new Map(), addOns: new Map(), plans: [] };
  whatIf.set(accountId, fresh);
  return fresh;
}

function addTo(
  compared: Map<string, Compared>,
  id: string,
  { quantity, charged, wouldBe }: { quantity: bigint; charged: bigint; wouldBe: bigint | null },
): void {
  const one = { count: 1, quantity, charged };
  const more =
    wouldBe === null ? { ...NOTHING, noPrice: one } : { ...one, wouldBe, noPrice: NOTHING.noPrice };
  compared.set(id, together(compared.get(id) ?? NOTHING, more));
}

/** Nothing charged, and nothing that would be. */
export const NOTHING: Compared = {
  count: 0,
  quantity: 0n,
  charged: 0n,
  wouldBe: 0n,
  noPrice: { count: 0, quantity: 0n, charged: 0n },
};

/** Two comparisons as one. */
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

/** What all of an account's usage and add-ons come to, in credits. */
export function creditsOf({ meters, addOns }: AccountWhatIf): Compared {
  return [...meters.values(), ...addOns.values()].reduce(together, NOTHING);
}

/** How much more would be charged; below zero less. */
export function differenceOf({ charged, wouldBe }: Pick<Compared, "charged" | "wouldBe">): bigint {
  return wouldBe - charged;
}

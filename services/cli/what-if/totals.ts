import {
  type Compared,
  creditsOf,
  differenceOf,
  NOTHING,
  together,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { MicroCredits } from "../../../shared/core/line/credit-line.ts";

/** What an account's usage and add-ons would cost more; below zero: less. */
export interface Mover {
  readonly accountId: AccountId;
  readonly compared: Compared;
  readonly difference: MicroCredits;
}

/** The credits and the price of plans in one currency, of plans that the other catalogue states. */
interface PlanTotal {
  readonly given: MicroCredits;
  readonly wouldGive: MicroCredits;
  readonly charged: bigint;
  readonly wouldCharge: bigint;
}

export interface WhatIfTotals {
  readonly credits: Compared;
  readonly meters: ReadonlyMap<string, Compared>;
  /** By the values of the dimension that was asked for; "": none. */
  readonly values: ReadonlyMap<string, Compared>;
  readonly addOns: ReadonlyMap<string, Compared>;
  /** By currency. */
  readonly plans: ReadonlyMap<string, PlanTotal>;
  /** Plans whose credits or price the other catalogue does not state, with their number of accounts. */
  readonly untoldPlans: ReadonlyMap<string, number>;
  /** Accounts that would have paid fewer credits, or more; the largest difference first. */
  readonly winners: readonly Mover[];
  readonly losers: readonly Mover[];
  /** In the order of their ids. */
  readonly movers: readonly Mover[];
}

export function whatIfTotals(whatIf: WhatIf): WhatIfTotals {
  const meters = new Map<string, Compared>();
  const values = new Map<string, Compared>();
  const addOns = new Map<string, Compared>();
  const plans = new Map<string, PlanTotal>();
  const untoldPlans = new Map<string, number>();
  const movers: Mover[] = [];
  for (const [accountId, account] of whatIf) {
    const compared = creditsOf(account);
    movers.push({ accountId, compared, difference: differenceOf(compared) });
    for (const [meter, part] of account.meters) add(meters, meter, part);
    for (const [value, part] of account.values) add(values, value, part);
    for (const [addOn, part] of account.addOns) add(addOns, addOn, part);
    for (const { planId, currency, given, wouldGive, charged, wouldCharge } of account.plans) {
      if (wouldGive === null || wouldCharge === null) {
        untoldPlans.set(planId, (untoldPlans.get(planId) ?? 0) + 1);
        continue;
      }
      const before = plans.get(currency) ?? NO_PLANS;
      plans.set(currency, {
        given: before.given + given,
        wouldGive: before.wouldGive + wouldGive,
        charged: before.charged + charged,
        wouldCharge: before.wouldCharge + wouldCharge,
      });
    }
  }
  return {
    credits: movers.reduce((sum, { compared }) => together(sum, compared), NOTHING),
    ...{ meters: byId(meters), values: byId(values), addOns: byId(addOns), plans: byId(plans) },
    untoldPlans: byId(untoldPlans),
    winners: movers.filter(({ difference }) => difference < 0n).sort(furthestFirst),
    losers: movers.filter(({ difference }) => difference > 0n).sort(furthestFirst),
    movers: movers.sort(({ accountId: a }, { accountId: b }) => (a < b ? -1 : 1)),
  };
}

const NO_PLANS: PlanTotal = { given: 0n, wouldGive: 0n, charged: 0n, wouldCharge: 0n };

function add(totals: Map<string, Compared>, id: string, part: Compared): void {
  totals.set(id, together(totals.get(id) ?? NOTHING, part));
}

function byId<T>(items: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...items].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Orders by the size of the difference, then by id. */
export function furthestFirst(a: Mover, b: Mover): number {
  return byDistance(a.difference, b.difference) || (a.accountId < b.accountId ? -1 : 1);
}

/** Orders differences by their size, the largest first. */
export function byDistance(a: MicroCredits, b: MicroCredits): number {
  const [far, other] = [size(a), size(b)];
  if (far === other) return 0;
  return far > other ? -1 : 1;
}

function size(difference: bigint): bigint {
  return difference < 0n ? -difference : difference;
}

import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import {
  accountId,
  instant,
  totalCredits,
  totalMoney,
  totalQuantity,
} from "../../../shared/contract/wire.ts";
import {
  type AccountWhatIf,
  type Compared,
  differenceOf,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { ChargedRange } from "../../../shared/ledger/proof/charged-between.ts";
import type { Mover, WhatIfTotals } from "./totals.ts";

const counted = z.number().int();
const amounts = {
  count: counted,
  charged: totalCredits,
  would_be: totalCredits,
  difference: totalCredits,
};
const comparedFields = { ...amounts, no_price: noun({ count: counted, charged: totalCredits }) };
/** A meter or an add-on: only its quantities can be summed. */
const partFields = {
  ...amounts,
  quantity: totalQuantity,
  no_price: noun({ count: counted, charged: totalCredits, quantity: totalQuantity }),
};
const partsFields = {
  meters: z.array(noun({ meter: z.string(), ...partFields })),
  /** Usage by the values of the dimension `by`; empty without one. */
  values: z.array(noun({ value: z.string(), ...comparedFields })),
  add_ons: z.array(noun({ add_on_id: z.string(), ...partFields })),
};
const movers = noun({
  count: counted,
  furthest: z.array(noun({ account_id: accountId, difference: totalCredits })),
});

export const whatIfReport = noun({
  catalogue: z.string(),
  from: instant,
  to: instant,
  by: z.string().nullable(),
  /** The account whose own terms price all usage; null: each its own. */
  rates_of: accountId.nullable(),
  totals: noun({
    ...comparedFields,
    ...partsFields,
    plans: z.array(
      noun({
        currency: z.string(),
        given: totalCredits,
        would_give: totalCredits,
        charged: totalMoney,
        would_charge: totalMoney,
      }),
    ),
    untold_plans: z.array(noun({ plan_id: z.string(), accounts: counted })),
  }),
  winners: movers,
  losers: movers,
  unchanged: counted,
  accounts: z.array(
    noun({
      account_id: accountId,
      ...comparedFields,
      ...partsFields,
      plans: z.array(
        noun({
          plan_id: z.string(),
          currency: z.string(),
          given: totalCredits,
          would_give: totalCredits.nullable(),
          charged: totalMoney,
          would_charge: totalMoney.nullable(),
        }),
      ),
    }),
  ),
});

/** What was asked for. */
interface WhatIfRequest {
  readonly file: string;
  readonly range: ChargedRange;
  readonly by: string | null;
  readonly ratesOf: AccountId | null;
}

export function toWhatIfReport(
  whatIf: WhatIf,
  totals: WhatIfTotals,
  { file, range, by, ratesOf }: WhatIfRequest,
) {
  const { winners, losers, movers: all } = totals;
  return {
    ...{ catalogue: file, from: range.from, to: range.to, by, ratesOf },
    totals: {
      ...toCompared(totals.credits),
      ...toParts(totals),
      plans: [...totals.plans].map(([currency, total]) => ({ currency, ...total })),
      untoldPlans: [...totals.untoldPlans].map(([planId, accounts]) => ({ planId, accounts })),
    },
    winners: toMovers(winners),
    losers: toMovers(losers),
    unchanged: all.length - winners.length - losers.length,
    accounts: all.map((mover) => {
      const account = accountOf(whatIf, mover.accountId);
      return {
        ...{ accountId: mover.accountId, plans: account.plans },
        ...toCompared(mover.compared),
        ...toParts(account),
      };
    }),
  };
}

/** The most winners and losers that are named. */
export const MOST_NAMED = 5;

function toMovers(furthest: readonly Mover[]) {
  return { count: furthest.length, furthest: furthest.slice(0, MOST_NAMED) };
}

function toCompared(compared: Compared) {
  return { ...compared, difference: differenceOf(compared) };
}

function toParts({ meters, values, addOns }: Pick<WhatIfTotals, "meters" | "values" | "addOns">) {
  return {
    meters: [...meters].map(([meter, part]) => ({ meter, ...toCompared(part) })),
    values: [...values].map(([value, part]) => ({ value, ...toCompared(part) })),
    addOns: [...addOns].map(([addOnId, part]) => ({ addOnId, ...toCompared(part) })),
  };
}

export function accountOf(whatIf: WhatIf, accountId: AccountId): AccountWhatIf {
  const account = whatIf.get(accountId);
  if (account === undefined) throw new Error(`account ${accountId} was not compared`);
  return account;
}

import { balanceOf, remainingOf } from "../../shared/core/line/credit-line.ts";
import {
  entryLine,
  feeLine,
  lotLine,
  lowBalanceLine,
  type WholeTold,
} from "../month/month-told.ts";
import type { CoreAccount } from "./core-books.ts";

/** Everything that ever existed of an account, in the terms in which the model tells it. */
export function wholeByCore({ account, schedule, ...rows }: CoreAccount): WholeTold {
  const { subscription, subscriptions, addOns, dueCharges } = schedule;
  const inOrder = dueCharges.toSorted((a, b) => a.dueAt - b.dueAt || byText(a.addOnId, b.addOnId));
  const fees = rows.fees.toSorted((a, b) => a.dueAt - b.dueAt || byText(a.paymentId, b.paymentId));
  return {
    ...{ subscription, subscriptions },
    addOns: addOns.toSorted((a, b) => byText(a.addOnId, b.addOnId)),
    dueCharges: inOrder.map(({ number, ...due }) => ({ ...due, subscription: number })),
    ...{ balance: balanceOf(account), timeZone: account.timeZone, used: rows.used },
    lots: rows.lots.map((lot) => lotLine({ ...lot, left: remainingOf(lot, account.position) })),
    entries: rows.entries.map(({ kind, credits, lotId, reference, dueAt }) =>
      entryLine([kind, credits, lotId, reference, dueAt]),
    ),
    fees: fees.map(({ number, ...fee }) => feeLine({ ...fee, subscription: number })),
    lowBalances: rows.lowBalances.map(lowBalanceLine),
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { toAccountId } from "../../shared/core/text/text.ts";
import { costOf, type ExpectedBooks, expectBooks } from "./expected-books.ts";
import { type PlannedAccount, planAccounts } from "./plan-accounts.ts";
import { type PlannedEvent, planEvents } from "./plan-events.ts";
import { DEMO_RATES } from "./rates.ts";
import type { TraceRequest } from "./trace.ts";

/** What a run does, and the books that must result. */
export interface DemoPlan {
  readonly requests: number;
  readonly accounts: readonly PlannedAccount[];
  readonly events: readonly PlannedEvent[];
  readonly expected: ExpectedBooks;
}

/** Account and event ids start with `prefix`; everything else is the same in every run. */
export function planDemo(
  trace: readonly TraceRequest[],
  given: { readonly accounts: number; readonly prefix: string },
): DemoPlan {
  // The total does not depend on which accounts draw it, so one account is enough here.
  const prices = planEvents(trace, [{ accountId: toAccountId("all") }], "").map(priceOf);
  const total = prices.reduce((sum, credits) => sum + credits, 0n);
  const accounts = planAccounts({ ...given, averageDraw: total / BigInt(given.accounts) });
  const events = planEvents(trace, accounts, given.prefix);
  const expected = expectBooks(accounts, events, DEMO_RATES);
  return { requests: trace.length, accounts, events, expected };
}

function priceOf({ meter, quantity }: PlannedEvent) {
  const rate = DEMO_RATES.find((candidate) => candidate.meter === meter);
  return rate === undefined ? 0n : costOf(quantity, rate);
}

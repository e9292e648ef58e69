import { toAccountId } from "../../shared/core/text/text.ts";
import { costOf, type ExpectedBooks, expectBooks } from "./expected-books.ts";
import { type PlannedAccount, planAccounts } from "./plan-accounts.ts";
import { type PlannedEvent, planEvents } from "./plan-events.ts";
import { DEMO_RATES } from "./rates.ts";
import type { TraceRequest } from "./trace.ts";

/** All that a run will do, and what the books must say afterwards. */
export interface DemoPlan {
  readonly requests: number;
  readonly accounts: readonly PlannedAccount[];
  readonly events: readonly PlannedEvent[];
  readonly expected: ExpectedBooks;
}

/** Every account's and every event's id starts with `prefix`; all else is the same in every run. */
export function planDemo(
  trace: readonly TraceRequest[],
  given: { readonly accounts: number; readonly prefix: string },
): DemoPlan {
  // What is drawn in all does not depend on who draws it, so one account can stand for all.
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

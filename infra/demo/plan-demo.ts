import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { type ExpectedBooks, expectBooks } from "./expected-books.ts";
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
  const all = { accountId: toAccountId("all"), timeZone: "UTC", threshold: 0n, lots: [] };
  const total = drawnBy(all, planEvents(trace, [all], ""));
  const accounts = planAccounts({ ...given, averageDraw: total / BigInt(given.accounts) });
  const events = planEvents(trace, accounts, given.prefix);
  const expected = expectBooks(accounts, events, DEMO_RATES);
  return { requests: trace.length, accounts, events, expected };
}

function drawnBy(account: PlannedAccount, events: readonly PlannedEvent[]): MicroCredits {
  return expectBooks([account], events, DEMO_RATES).accounts.get(account.accountId)?.drawn ?? 0n;
}

import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import { REFERENCE } from "../../shared/core/line/reference.ts";
import type { Rate } from "../../shared/core/offer/rate-card.ts";
import type { PlannedAccount } from "./plan-accounts.ts";
import type { PlannedEvent } from "./plan-events.ts";
import type { FoundRecord } from "./read-books.ts";

/** The books that must result once every event is metered. All credits are micro-credits. */
export interface ExpectedBooks {
  /** By account id. */
  readonly accounts: ReadonlyMap<string, ExpectedAccount>;
  /** By event id. */
  readonly records: ReadonlyMap<string, FoundRecord>;
}

export interface ExpectedAccount {
  readonly granted: MicroCredits;
  readonly drawn: MicroCredits;
  /** What is left of each lot, oldest first. */
  readonly remainders: readonly MicroCredits[];
  /** Null: it never runs low. */
  readonly lowBalance: ExpectedLowBalance | null;
}

interface ExpectedLowBalance {
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  /** `event:<event id>` of the event that crossed. */
  readonly cause: string;
}

/**
 * Computes the books from the trace alone, event by event, with a purse of lots that is emptied
 * oldest first. It shares no code with the credit line on purpose, since it checks it.
 */
export function expectBooks(
  accounts: readonly PlannedAccount[],
  events: readonly PlannedEvent[],
  rates: readonly Rate[],
): ExpectedBooks {
  const purses = new Map(accounts.map((account) => [account.accountId, openPurse(account)]));
  const records = new Map<string, FoundRecord>();
  for (const event of events) {
    const purse = purses.get(event.accountId);
    const rate = rates.find(({ meter }) => meter === event.meter);
    if (purse === undefined || rate === undefined) {
      throw new Error(`event ${event.eventId} names an account or a meter that is not planned`);
    }
    const credits = costFor(purse, event, rate);
    const { eventId, accountId, meter, quantity } = event;
    records.set(eventId, { eventId, accountId, meter, quantity, credits, start: purse.drawn });
    draw(purse, credits, event);
  }
  return { accounts: purses, records };
}

/**
 * In micro-credits: by how many whole ones the event raises the exact price of all that the account used
 * of its meter, which has one rate.
 */
function costFor(
  { exact }: Purse,
  { meter, quantity }: PlannedEvent,
  { credits, per }: Rate,
): MicroCredits {
  const before = exact.get(meter) ?? 0n;
  const after = before + quantity * credits;
  exact.set(meter, after);
  return after / per - before / per;
}

interface Purse {
  /** The exact price of its usage, by meter, in `1 / per` micro-credits. */
  readonly exact: Map<string, bigint>;
  readonly granted: MicroCredits;
  readonly threshold: MicroCredits;
  readonly remainders: MicroCredits[];
  drawn: MicroCredits;
  lowBalance: ExpectedLowBalance | null;
}

function openPurse({ lots, threshold }: PlannedAccount): Purse {
  const remainders = lots.map(({ credits }) => credits);
  const granted = remainders.reduce((sum, credits) => sum + credits, 0n);
  return { exact: new Map(), granted, threshold, remainders, drawn: 0n, lowBalance: null };
}

/** No credits are added during the demo, so an account falls to its threshold at most once. */
function draw(purse: Purse, credits: MicroCredits, event: PlannedEvent): void {
  purse.drawn += credits;
  let owed = credits;
  for (const [index, left] of purse.remainders.entries()) {
    const taken = left < owed ? left : owed;
    purse.remainders[index] = left - taken;
    owed -= taken;
  }
  const balance = purse.granted - purse.drawn;
  if (purse.lowBalance !== null || balance > purse.threshold || credits === 0n) return;
  purse.lowBalance = {
    balance,
    threshold: purse.threshold,
    cause: REFERENCE.eventCause.write(event),
  };
}

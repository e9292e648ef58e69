import type { Account, Entry, Instant } from "./account.ts";
import { type AccountBook, isTurnDue } from "./account-book.ts";
import type { Catalogue } from "./catalogue.ts";
import { type GrantedLot, onTheLine } from "./grant-credits.ts";
import { conclude, type Settlement } from "./settle.ts";
import { recordChange, type Schedule, type SubscriptionChange } from "./subscription.ts";

/** What a change is judged against, read in one transaction. */
export interface ChangeContext {
  /** Settled up to `now`: what fell due before the change is posted under what held then. */
  readonly book: AccountBook;
  readonly catalogue: Catalogue;
  /** The account's; a plan without a price in it cannot be had. */
  readonly currency: string;
  readonly now: Instant;
  /** Who asks, for the history. */
  readonly by: string;
}

/** The change was made: the book after it, and what it posted. */
export interface Changed extends Settlement {
  readonly kind: "changed";
}

/** What holds after a change, and what it posted; what is left out stays as it was. */
interface After {
  readonly account?: Account;
  readonly schedule?: Schedule;
  readonly granted?: readonly GrantedLot[];
  readonly entries?: readonly Entry[];
}

/** Makes a change: one entry of the history, and one movement. Throws when the book is not settled. */
export function changed(
  { book, by, now }: ChangeContext,
  told: Pick<SubscriptionChange, "kind" | "detail">,
  { account = book.account, schedule: after = book.schedule, granted = [], entries = [] }: After,
): Changed {
  if (isTurnDue(book.schedule, now)) {
    throw new Error(`account ${account.accountId} is to be settled before it is changed`);
  }
  const { schedule, change } = recordChange(after, { ...told, by, at: now });
  const lots = [...book.lots, ...granted.map(onTheLine)];
  const posted = { entries, granted, changes: [change] };
  return { kind: "changed", ...conclude({ account, lots, schedule }, posted) };
}

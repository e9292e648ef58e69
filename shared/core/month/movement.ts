import type { Account, AccountId, Entry, Lot } from "../line/account.ts";
import type { LowBalance } from "../line/low-balance.ts";
import type { AccountBook } from "./account-book.ts";
import type { Fee } from "./fee.ts";
import type { GrantedLot } from "./grant-credits.ts";
import { atCurrentStretches, type Settlement } from "./settle.ts";
import type { Schedule, SubscriptionChange } from "./subscription.ts";

/** What one transaction does to accounts and all that hangs on them, usage records apart. */
export interface Movement extends BookChanges {
  /** As they are afterwards, each with the version it was read at. */
  readonly accounts: readonly Account[];
  readonly entries: readonly Entry[];
  readonly lowBalances: readonly LowBalance[];
}

/** What it does beside the account rows, entries and low balances. */
export interface BookChanges {
  /** New lots, as they stand at the end. */
  readonly granted: readonly { accountId: AccountId; lot: GrantedLot }[];
  /** Lots that stood before and lie elsewhere now. */
  readonly movedLots: readonly { accountId: AccountId; lot: Lot }[];
  readonly schedules: readonly { accountId: AccountId; schedule: Schedule }[];
  readonly changes: readonly { accountId: AccountId; change: SubscriptionChange }[];
  readonly fees: readonly { accountId: AccountId; fee: Fee }[];
}

/** An account's book as it was read, and what became of it in one or more steps. */
export interface MovedBook extends AccountBook {
  readonly before: Omit<AccountBook, "account">;
  readonly granted: readonly GrantedLot[];
  readonly changes: readonly SubscriptionChange[];
  readonly fees: readonly Fee[];
}

/** The differences between books as they were and as they are. */
export function bookChanges(books: readonly MovedBook[]): BookChanges {
  const granted: { accountId: AccountId; lot: GrantedLot }[] = [];
  const movedLots: { accountId: AccountId; lot: Lot }[] = [];
  const schedules: { accountId: AccountId; schedule: Schedule }[] = [];
  const changes: { accountId: AccountId; change: SubscriptionChange }[] = [];
  const fees: { accountId: AccountId; fee: Fee }[] = [];
  for (const book of books) {
    const { lots, schedule, before } = book;
    const { accountId } = book.account;
    for (const lot of atCurrentStretches(book.granted, lots)) granted.push({ accountId, lot });
    for (const change of book.changes) changes.push({ accountId, change });
    for (const fee of book.fees) fees.push({ accountId, fee });
    if (schedule !== before.schedule) schedules.push({ accountId, schedule });
    // New lots come behind those there were.
    for (const [i, old] of before.lots.entries()) {
      const lot = lots[i];
      if (lot !== undefined && lot !== old) movedLots.push({ accountId, lot });
    }
  }
  return { granted, movedLots, schedules, changes, fees };
}

/** The steps that one account took in a transaction, the first from `before` and each from the one before it. */
export interface Steps {
  readonly before: AccountBook;
  readonly steps: readonly Settlement[];
}

/** What accounts' steps do together. An account that no step moved is not among them. */
export function movementOf(moved: readonly Steps[]): Movement {
  const accounts: Account[] = [];
  const entries: Entry[] = [];
  const lowBalances: LowBalance[] = [];
  const books: MovedBook[] = [];
  for (const { before, steps } of moved) {
    const after = steps.at(-1);
    if (after === undefined || isSame(before, after)) continue;
    accounts.push(after.account);
    entries.push(...steps.flatMap((step) => step.entries));
    for (const { lowBalance } of steps) if (lowBalance !== null) lowBalances.push(lowBalance);
    books.push({
      ...after,
      before,
      granted: steps.flatMap((step) => step.granted),
      changes: steps.flatMap((step) => step.changes),
      fees: steps.flatMap((step) => step.fees),
    });
  }
  return { accounts, entries, lowBalances, ...bookChanges(books) };
}

function isSame(before: AccountBook, after: AccountBook): boolean {
  return before.account === after.account && before.schedule === after.schedule;
}

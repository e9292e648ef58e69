import type { Account, AccountId, Entry, Lot } from "../line/account.ts";
import type { LowBalance } from "../line/low-balance.ts";
import type { AccountBook } from "./account-book.ts";
import type { Fee } from "./fee.ts";
import type { GrantedLot } from "./grant-credits.ts";
import { atCurrentStretches, type Settlement } from "./settle.ts";
import type { Schedule, SubscriptionChange } from "./subscription.ts";

/** Everything that one transaction does to accounts, except usage records. */
export interface Movement extends BookChanges {
  /** As they are afterwards, each with the version that was read. */
  readonly accounts: readonly Account[];
  readonly entries: readonly Entry[];
  readonly lowBalances: readonly LowBalance[];
}

/** What a movement changes besides account rows, entries and low balances. */
export interface BookChanges {
  /** New lots, in their final state. */
  readonly granted: readonly { accountId: AccountId; lot: GrantedLot }[];
  /** Lots that existed before and have moved. */
  readonly movedLots: readonly { accountId: AccountId; lot: Lot }[];
  readonly schedules: readonly { accountId: AccountId; schedule: Schedule }[];
  readonly changes: readonly { accountId: AccountId; change: SubscriptionChange }[];
  readonly fees: readonly { accountId: AccountId; fee: Fee }[];
}

/** An account's book as it was read (`before`) and as it is after one or more steps. */
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
    // New lots are at the end of `lots`.
    for (const [i, old] of before.lots.entries()) {
      const lot = lots[i];
      if (lot !== undefined && lot !== old) movedLots.push({ accountId, lot });
    }
  }
  return { granted, movedLots, schedules, changes, fees };
}

/** The steps of one account in a transaction; the first starts from `before`, each other from the previous one. */
export interface Steps {
  readonly before: AccountBook;
  readonly steps: readonly Settlement[];
}

/** The steps of all accounts as one movement. Accounts that did not move are left out. */
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

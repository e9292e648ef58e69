import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import { balanceOf, MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import { type LowBalance, recordLowBalance, waitsForNeed } from "../line/low-balance.ts";
import { REFERENCE } from "../line/reference.ts";
import { type AccountBook, isDue, isTurnDue } from "../month/account-book.ts";
import { usageBefore } from "../month/expiry.ts";
import type { Fee } from "../month/fee.ts";
import type { GrantedLot } from "../month/grant-credits.ts";
import { type ExpiredLot, giveBack, isLate, withExpired } from "../month/late-usage.ts";
import { bookChanges, type MovedBook } from "../month/movement.ts";
import { settle } from "../month/settle.ts";
import { EMPTY_SCHEDULE, type Schedule, type SubscriptionChange } from "../month/subscription.ts";
import type { Catalogue } from "../offer/catalogue.ts";
import { hourOf } from "../offer/months.ts";
import {
  type Carried,
  type CarriedByVersion,
  type CarriedInBatch,
  changesOfCarried,
  type MonthUsage,
} from "./carried.ts";
import { addSpent } from "./open-spend.ts";
import type { PricedLine } from "./price-lines.ts";
import { addToSpend, type Spend } from "./spend.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What settling an account within a batch depends on. */
export interface SettlingContext {
  readonly now: Instant;
  readonly catalogue: Catalogue;
  /** All accounts' usage is complete up to here, by what metering has read; null: never. */
  readonly completeUntil: Instant | null;
}

/** An account while a batch's events are applied; `position` is more recent than the one in `account`. */
export interface AccountInBatch extends MovedBook {
  account: Account;
  position: MicroCredits;
  lots: readonly Lot[];
  /** Those that late events may get back: read if one is late, and expired in the batch. */
  expired: readonly ExpiredLot[];
  schedule: Schedule;
  readonly before: Omit<AccountBook, "account">;
  readonly entries: Entry[];
  granted: readonly GrantedLot[];
  changes: readonly SubscriptionChange[];
  fees: readonly Fee[];
  readonly spends: Spend[];
  readonly carried: CarriedInBatch;
  moved: boolean;
}

const NONE: readonly never[] = [];

const NOTHING_CARRIED: CarriedByVersion = new Map();

/** If nothing is due on an account, only its row is read. */
const NOT_READ: Omit<AccountBook, "account"> = { lots: [], schedule: EMPTY_SCHEDULE };

/** An account at the start of a batch; the rest is what was read of it besides its row. */
export function openAccount(
  account: Account,
  before: Omit<AccountBook, "account"> = NOT_READ,
  expired: readonly ExpiredLot[] = NONE,
  carried: CarriedByVersion = NOTHING_CARRIED,
): AccountInBatch {
  return {
    account,
    position: account.position,
    lots: before.lots,
    expired,
    schedule: before.schedule,
    before,
    entries: [],
    granted: NONE,
    changes: NONE,
    fees: NONE,
    spends: [],
    carried: { before: carried, after: null },
    moved: false,
  };
}

/** True if the account's lots were read; otherwise `lots` has only those granted in the batch. */
export function wasRead(book: AccountInBatch): boolean {
  return book.before !== NOT_READ;
}

function accountOf(book: AccountInBatch): Account {
  return { ...book.account, position: book.position };
}

/** The price of an event's lines and of all of it, and what of that expired lots pay. */
export interface EventCost {
  readonly lines: readonly PricedLine[];
  readonly credits: MicroCredits;
  readonly givenBack: MicroCredits;
}

/**
 * Draws one event's credits, and records a low balance if it crosses the threshold or is the first to
 * need credits below it.
 */
export function draw(
  book: AccountInBatch,
  event: UsageEvent,
  { lines, credits, givenBack }: EventCost,
  lowBalances: LowBalance[],
): void {
  const drawn = credits - givenBack;
  const { accountId, timeZone } = book.account;
  const hour = hourOf(event.occurredAt, timeZone);
  for (const line of lines) addToSpend(book.spends, line, { accountId, hour });
  book.position += drawn;
  book.moved = true;
  const { lowBalance, granted, threshold } = book.account;
  if (drawn === 0n || (lowBalance && !waitsForNeed(book.account))) return;
  if (balanceOf({ granted, position: book.position }) > threshold) return;
  const cause = REFERENCE.eventCause.write(event);
  const { occurredAt } = event;
  const crossed = recordLowBalance(accountOf(book), { cause, occurredAt, needed: true });
  book.account = crossed.account;
  lowBalances.push(crossed.lowBalance);
}

/** Posts what is due before the event draws. */
export function settleBefore(
  book: AccountInBatch,
  event: UsageEvent,
  { now, catalogue, completeUntil }: SettlingContext,
  lowBalances: LowBalance[],
): void {
  if (!isDue(book.account, now)) return;
  const usage = usageBefore(event.occurredAt, now, completeUntil);
  if (!wasRead(book)) {
    throw new Error(`account ${book.account.accountId} is due, but its book was not read`);
  }
  // Within the grace, what is due mostly waits for later usage: return early.
  if (!isDue(book.account, usage) && !isTurnDue(book.schedule, now)) return;
  const settled = settle(
    { account: accountOf(book), lots: book.lots, schedule: book.schedule },
    catalogue,
    { clock: now, usage, completeUntil },
  );
  book.moved = true;
  book.account = settled.account;
  book.position = settled.account.position;
  book.lots = settled.lots;
  book.schedule = settled.schedule;
  book.expired = withExpired(book.expired, settled.entries, settled.lots);
  book.entries.push(...settled.entries);
  book.granted = [...book.granted, ...settled.granted];
  book.changes = [...book.changes, ...settled.changes];
  book.fees = [...book.fees, ...settled.fees];
  if (settled.lowBalance !== null) lowBalances.push(settled.lowBalance);
}

/** Gives back what a late event of these credits needs of expiries; returns how much. */
export function giveBackTo(
  book: AccountInBatch,
  event: UsageEvent,
  credits: MicroCredits,
): MicroCredits {
  if (!isLate(book.account, event)) return 0n;
  const { eventId, source, occurredAt } = event;
  const late = { eventId, source, occurredAt, credits };
  const given = giveBack(accountOf(book), book.expired, late);
  // The event does not fit on the line and will be rejected.
  if (book.position + credits - given.credits > MAX_BIGINT) return 0n;
  if (given.credits > 0n) book.moved = true;
  book.account = given.account;
  book.expired = given.expired;
  book.entries.push(...given.entries);
  return given.credits;
}

/** Everything that a batch changed on its accounts, in the order in which its events named them. */
export function changesOf(books: Iterable<AccountInBatch>) {
  const spends: Spend[] = [];
  const accounts: Account[] = [];
  const entries: Entry[] = [];
  const settled: MovedBook[] = [];
  const carried: Carried[] = [];
  const months: MonthUsage[] = [];
  for (const book of books) {
    if (!book.moved) continue;
    const { spent, closed } = addSpent(book.account, book.spends);
    accounts.push({ ...accountOf(book), spent });
    entries.push(...book.entries);
    spends.push(...closed);
    if (book.carried.after !== null) {
      const changed = changesOfCarried(book.account.accountId, book.carried);
      carried.push(...changed.carried);
      months.push(...changed.months);
    }
    const { lots, schedule } = book.before;
    if (book.lots !== lots || book.schedule !== schedule) settled.push(book);
  }
  return { spends, carried, months, accounts, entries, ...bookChanges(settled) };
}

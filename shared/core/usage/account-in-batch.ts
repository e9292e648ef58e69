import type { Account, AccountId, Entry, Instant, Lot } from "../line/account.ts";
import { balanceOf, type MicroCredits } from "../line/credit-line.ts";
import { type LowBalance, recordLowBalance } from "../line/low-balance.ts";
import { REFERENCE } from "../line/reference.ts";
import { type AccountBook, isDue, isTurnDue } from "../month/account-book.ts";
import { usageBefore } from "../month/expiry.ts";
import type { Fee } from "../month/fee.ts";
import type { GrantedLot } from "../month/grant-credits.ts";
import { bookChanges, type MovedBook } from "../month/movement.ts";
import { settle } from "../month/settle.ts";
import { EMPTY_SCHEDULE, type Schedule, type SubscriptionChange } from "../month/subscription.ts";
import type { Catalogue } from "../offer/catalogue.ts";
import { addToSpend, type Spend } from "./spend.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What settling an account within a batch goes by. */
export interface SettlingContext {
  readonly now: Instant;
  readonly catalogue: Catalogue;
  /** Up to here everybody's usage is complete, by what metering has read; null: nowhere. */
  readonly completeUntil: Instant | null;
}

/** What a batch draws of one account: a stretch of its line, and the events that drew it, in order. */
export interface Draw {
  readonly accountId: AccountId;
  readonly start: MicroCredits;
  readonly end: MicroCredits;
  readonly eventIds: readonly string[];
}

/** An account while its events are played: `position` runs ahead of `account` until read back. */
export interface AccountInBatch extends MovedBook {
  account: Account;
  position: MicroCredits;
  /** Where the first event's stretch starts. */
  drawnFrom: MicroCredits;
  lots: readonly Lot[];
  schedule: Schedule;
  readonly before: Omit<AccountBook, "account">;
  readonly entries: Entry[];
  granted: readonly GrantedLot[];
  changes: readonly SubscriptionChange[];
  fees: readonly Fee[];
  readonly eventIds: string[];
  readonly spends: Spend[];
  moved: boolean;
}

const NONE: readonly never[] = [];

/** Of an account on which nothing is due no more is read than its row. */
const NOT_READ: Omit<AccountBook, "account"> = { lots: [], schedule: EMPTY_SCHEDULE };

/** An account at the start of its batch; `before` is what else was read of it. */
export function openAccount(
  account: Account,
  before: Omit<AccountBook, "account"> = NOT_READ,
): AccountInBatch {
  return {
    account,
    position: account.position,
    lots: before.lots,
    schedule: before.schedule,
    before,
    entries: [],
    granted: NONE,
    changes: NONE,
    fees: NONE,
    drawnFrom: account.position,
    eventIds: [],
    spends: [],
    moved: false,
  };
}

/** Whether its lots were read; otherwise `lots` has those that the batch itself granted. */
export function wasRead(book: AccountInBatch): boolean {
  return book.before !== NOT_READ;
}

function accountOf(book: AccountInBatch): Account {
  return { ...book.account, position: book.position };
}

/** Draws one event's credits down, and says a low balance where it crosses. */
export function draw(
  book: AccountInBatch,
  event: UsageEvent,
  credits: MicroCredits,
  lowBalances: LowBalance[],
): void {
  if (book.eventIds.length === 0) book.drawnFrom = book.position;
  book.eventIds.push(event.eventId);
  addToSpend(book.spends, event, credits, book.account);
  book.position += credits;
  book.moved = true;
  const { lowBalance, granted, threshold } = book.account;
  if (lowBalance || credits === 0n) return;
  if (balanceOf({ granted, position: book.position }) > threshold) return;
  const said = recordLowBalance(
    accountOf(book),
    REFERENCE.eventCause.write(event),
    event.occurredAt,
  );
  book.account = said.account;
  lowBalances.push(said.lowBalance);
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
    throw new Error(`account ${book.account.accountId} is due and its book was not read`);
  }
  // Within the grace most events find that what is due waits for later usage; they pay no more than this.
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
  book.entries.push(...settled.entries);
  book.granted = [...book.granted, ...settled.granted];
  book.changes = [...book.changes, ...settled.changes];
  book.fees = [...book.fees, ...settled.fees];
  if (settled.lowBalance !== null) lowBalances.push(settled.lowBalance);
}

/** The stretch runs from the first event's start; what settling took in between is told by the entries. */
function drawOf({ account, drawnFrom, position, eventIds }: AccountInBatch): Draw {
  return { accountId: account.accountId, start: drawnFrom, end: position, eventIds };
}

/** All that a batch changed of its accounts, in the order in which its events named them. */
export function changesOf(books: Iterable<AccountInBatch>) {
  const spends: Spend[] = [];
  const draws: Draw[] = [];
  const accounts: Account[] = [];
  const entries: Entry[] = [];
  const settled: MovedBook[] = [];
  for (const book of books) {
    if (!book.moved) continue;
    accounts.push(accountOf(book));
    entries.push(...book.entries);
    spends.push(...book.spends);
    if (book.eventIds.length > 0) draws.push(drawOf(book));
    const { lots, schedule } = book.before;
    if (book.lots !== lots || book.schedule !== schedule) settled.push(book);
  }
  return { draws, spends, accounts, entries, ...bookChanges(settled) };
}

import type { Account, AccountId, Entry, Instant, Lot } from "./account.ts";
import { balanceOf, MAX_BIGINT, type MicroCredits } from "./credit-line.ts";
import { type LowBalance, sayLowBalance } from "./low-balance.ts";
import { price, type RateCard, rateAt } from "./rate-card.ts";
import { isDue, settle } from "./settle.ts";
import { addToSpend, type Spend } from "./spend.ts";
import { isSameEvent, type Rejection, type UsageEvent } from "./usage-event.ts";

/** What a batch of usage events is judged against. All of it was read in one transaction. */
export interface MeteringContext {
  readonly now: Instant;
  readonly rates: RateCard;
  /** The accounts that the events name, as far as they exist. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** The live lots of every account on which one of the events makes something due (`accountsDue`). */
  readonly lots: ReadonlyMap<string, readonly Lot[]>;
  /**
   * The events already metered under an identity of this batch, by `identityOf`. Null: nothing was
   * looked up, and the unique key of the usage records decides whether one is a repeat.
   */
  readonly recorded: ReadonlyMap<string, UsageEvent> | null;
}

/** A metered event: its price and where on the account's line its stretch starts. */
export interface Drawn<E extends UsageEvent> {
  readonly event: E;
  readonly credits: MicroCredits;
  readonly start: MicroCredits;
}

interface Rejected<E> {
  readonly event: E;
  readonly rejection: Rejection;
}

/** What a batch draws of one account: a stretch of its line, and the events that drew it, in order. */
export interface Draw {
  readonly accountId: AccountId;
  readonly start: MicroCredits;
  readonly end: MicroCredits;
  readonly eventIds: readonly string[];
}

/** All that a batch of events does to the books. */
export interface Metering<E extends UsageEvent> {
  readonly drawn: readonly Drawn<E>[];
  readonly draws: readonly Draw[];
  readonly rejected: readonly Rejected<E>[];
  /** How many events were metered before and are dropped. */
  readonly repeats: number;
  /** Accounts that moved, each with the version it was read at. */
  readonly accounts: readonly Account[];
  readonly entries: readonly Entry[];
  readonly movedLots: readonly { accountId: AccountId; lot: Lot }[];
  readonly lowBalances: readonly LowBalance[];
  readonly spends: readonly Spend[];
}

/** The identity of an event: the same again is a repeat if it says the same, else a conflict. */
export function identityOf(event: Pick<UsageEvent, "accountId" | "eventId">): string {
  return `${event.accountId}\0${event.eventId}`;
}

/** The accounts whose lots `meterUsage` needs, because one of the events makes something due. */
export function accountsDue(
  events: readonly UsageEvent[],
  accounts: ReadonlyMap<string, Account>,
  now: Instant,
): string[] {
  const mayBeDue = new Map([...accounts].filter(([, account]) => isDue(account, now)));
  const due = new Set<string>();
  if (mayBeDue.size === 0) return [];
  for (const event of events) {
    const account = mayBeDue.get(event.accountId);
    if (account !== undefined && isDue(account, settledBy(event, now))) due.add(event.accountId);
  }
  return [...due];
}

/**
 * Prices events that `rejectEvent` let pass and draws their accounts down, in the order given
 * (offsets of one partition). Every step depends on one event and its account alone, so any split
 * of the same events into batches gives the same books.
 */
export function meterUsage<E extends UsageEvent>(
  events: readonly E[],
  context: MeteringContext,
): Metering<E> {
  const drawn: Drawn<E>[] = [];
  const rejected: Rejected<E>[] = [];
  const lowBalances: LowBalance[] = [];
  const books = new Map<string, AccountInBatch>();
  const recorded = context.recorded === null ? null : new Map(context.recorded);
  let repeats = 0;

  for (const event of events) {
    const before = recorded?.get(identityOf(event));
    if (before !== undefined) {
      if (isSameEvent(before, event)) repeats += 1;
      else rejected.push({ event, rejection: conflictWith(before) });
      continue;
    }
    const book = bookOf(event.accountId, books, context);
    if (book === null) {
      rejected.push({ event, rejection: noAccount(event) });
      continue;
    }
    const credits = priceOf(event, context.rates);
    if (typeof credits !== "bigint") {
      rejected.push({ event, rejection: credits });
      continue;
    }
    settleUpTo(book, settledBy(event, context.now), lowBalances);
    if (book.position + credits > MAX_BIGINT) {
      rejected.push({ event, rejection: overflow(credits) });
      continue;
    }
    drawn.push({ event, credits, start: book.position });
    draw(book, event, credits, lowBalances);
    recorded?.set(identityOf(event), event);
  }
  return { drawn, rejected, repeats, lowBalances, ...changesOf(books) };
}

/**
 * The instant up to which an event settles its account: its own, but not before the clock is there
 * too, so that a fast clock elsewhere costs nobody a credit.
 */
function settledBy(event: UsageEvent, now: Instant): Instant {
  return Math.min(event.occurredAt, now);
}

function priceOf(event: UsageEvent, rates: RateCard): MicroCredits | Rejection {
  const rate = rateAt(rates, event.meter, event.occurredAt);
  if (rate === "unknown_meter") {
    return { reason: rate, detail: `meter ${event.meter} has no price; set one` };
  }
  if (rate === "no_price") {
    return { reason: rate, detail: `meter ${event.meter} had no price yet when this occurred` };
  }
  return price(rate, event.quantity);
}

function noAccount(event: UsageEvent): Rejection {
  return { reason: "unknown_account", detail: `there is no account ${event.accountId}` };
}

function conflictWith(before: UsageEvent): Rejection {
  return {
    reason: "conflict",
    detail: `metered before with other content: ${before.quantity} of ${before.meter} at ${before.occurredAt}`,
  };
}

function overflow(credits: MicroCredits): Rejection {
  return { reason: "overflow", detail: `${credits} micro-credits do not fit on the line` };
}

/** An account while its events are played: `position` runs ahead of `account` until read back. */
interface AccountInBatch {
  account: Account;
  position: MicroCredits;
  /** Where the first event's stretch starts. */
  drawnFrom: MicroCredits;
  lots: readonly Lot[];
  readonly lotsBefore: readonly Lot[];
  readonly entries: Entry[];
  readonly eventIds: string[];
  readonly spends: Spend[];
  moved: boolean;
}

function openBook(account: Account, lots: readonly Lot[]): AccountInBatch {
  return {
    account,
    position: account.position,
    lots,
    lotsBefore: lots,
    entries: [],
    drawnFrom: account.position,
    eventIds: [],
    spends: [],
    moved: false,
  };
}

function bookOf(
  accountId: string,
  books: Map<string, AccountInBatch>,
  { accounts, lots }: MeteringContext,
): AccountInBatch | null {
  const open = books.get(accountId);
  if (open !== undefined) return open;
  const account = accounts.get(accountId);
  if (account === undefined) return null;
  const book = openBook(account, lots.get(accountId) ?? []);
  books.set(accountId, book);
  return book;
}

function accountOf(book: AccountInBatch): Account {
  return { ...book.account, position: book.position };
}

function draw(
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
  const said = sayLowBalance(accountOf(book), `event:${event.eventId}`, event.occurredAt);
  book.account = said.account;
  lowBalances.push(said.lowBalance);
}

function settleUpTo(book: AccountInBatch, asOf: Instant, lowBalances: LowBalance[]): void {
  if (!isDue(book.account, asOf)) return;
  const settled = settle(accountOf(book), book.lots, asOf);
  book.moved = true;
  book.account = settled.account;
  book.position = settled.account.position;
  book.lots = settled.lots;
  book.entries.push(...settled.entries);
  if (settled.lowBalance !== null) lowBalances.push(settled.lowBalance);
}

/** The stretch runs from the first event's start; what settling took in between is told by the entries. */
function drawOf({ account, drawnFrom, position, eventIds }: AccountInBatch): Draw {
  return { accountId: account.accountId, start: drawnFrom, end: position, eventIds };
}

function changesOf(books: Map<string, AccountInBatch>) {
  const spends: Spend[] = [];
  const draws: Draw[] = [];
  const accounts: Account[] = [];
  const entries: Entry[] = [];
  const movedLots: { accountId: AccountId; lot: Lot }[] = [];
  for (const book of books.values()) {
    if (!book.moved) continue;
    accounts.push(accountOf(book));
    entries.push(...book.entries);
    spends.push(...book.spends);
    if (book.eventIds.length > 0) draws.push(drawOf(book));
    for (const [i, lot] of book.lots.entries()) {
      if (lot !== book.lotsBefore[i]) movedLots.push({ accountId: book.account.accountId, lot });
    }
  }
  return { draws, spends, accounts, entries, movedLots };
}

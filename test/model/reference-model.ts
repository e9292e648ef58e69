import type { Instant } from "../../shared/core/account.ts";
import type { Rate } from "../../shared/core/rate-card.ts";
import type { DeadLetterReason, EventWindow, UsageEvent } from "../../shared/core/usage-event.ts";

/**
 * The books, kept the naive way: a list of lots that each know what is left of them, debt as a number
 * of its own, and events drawn one by one from the oldest lot that has something. It knows nothing
 * of the credit line, shares no code with shared/core, and is what the real books are compared with.
 *
 * Feed it what the system got, in the order in which the system took it: grants when they were
 * posted, events in offset order with the clock (`now`) of the batch that they were metered in. It
 * starts at the decoded event; unreadable bytes are the codec's.
 */
export interface Model {
  createAccount(accountId: string, options?: { readonly threshold?: bigint }): void;
  /**
   * Adds a lot of micro-credits (above 0) behind all others; debt is repaid first. Settles nothing by
   * itself. Overflow: all that was ever used and all that is left would not fit in 63 bits.
   */
  grant(
    accountId: string,
    lotId: string,
    credits: bigint,
    expiresAt: Instant | null,
  ): "granted" | "overflow";
  /** Ends every lot whose expiry has come by `asOf`; `receive` does this for its own event. */
  settle(accountId: string, asOf: Instant): void;
  /** Meters one event and tells what became of it. */
  receive(event: UsageEvent, now: Instant): "metered" | "repeat" | DeadLetterReason;
  /** Throws for an account that was not created. */
  account(accountId: string): ModelAccount;
  /** Every event that could not be metered, in order, those of unknown accounts too. */
  readonly deadLetters: readonly {
    readonly event: UsageEvent;
    readonly reason: DeadLetterReason;
  }[];
  /** Events dropped because the same was metered before. */
  readonly repeats: number;
}

/** What the system must say of an account. All credits are micro-credits. */
export interface ModelAccount {
  /** Below zero it is debt. */
  readonly balance: bigint;
  /** All usage ever metered, paid for or not. */
  readonly used: bigint;
  /** Oldest first, ended ones included. */
  readonly lots: readonly ModelLot[];
  /** In the order metered. */
  readonly records: readonly ModelRecord[];
  /** In the order posted; `credits` is what the lot still had. */
  readonly expiries: readonly { readonly lotId: string; readonly credits: bigint }[];
  /** In the order said: the first is crossing 1. `cause` is `event:<id>` or `entry:<sequence>`. */
  readonly lowBalances: readonly { readonly cause: string; readonly balance: bigint }[];
  /** Grants and expiries posted so far; the last one's sequence. */
  readonly entries: bigint;
}

interface ModelLot {
  readonly lotId: string;
  readonly credits: bigint;
  readonly left: bigint;
  readonly expiresAt: Instant | null;
}

interface ModelRecord {
  readonly eventId: string;
  readonly credits: bigint;
  /** What each lot paid of it, oldest lot first; lots that paid nothing are not there. */
  readonly paidBy: ReadonlyMap<string, bigint>;
  /** What no lot has paid yet. */
  readonly unpaid: bigint;
}

interface Books {
  readonly threshold: bigint;
  readonly lots: { -readonly [K in keyof ModelLot]: ModelLot[K] }[];
  readonly records: {
    eventId: string;
    credits: bigint;
    paidBy: Map<string, bigint>;
    unpaid: bigint;
  }[];
  readonly expiries: { lotId: string; credits: bigint }[];
  readonly lowBalances: { cause: string; balance: bigint }[];
  debt: bigint;
  used: bigint;
  entries: bigint;
  saidLow: boolean;
  /** How much of the 63 bits that the account may ever draw is gone. */
  travelled: bigint;
}

const MOST = 9_223_372_036_854_775_807n;

export function createModel(setup: {
  readonly rates: readonly Rate[];
  readonly window: EventWindow;
}): Model {
  const accounts = new Map<string, Books>();
  const metered = new Map<string, string>();
  const deadLetters: { event: UsageEvent; reason: DeadLetterReason }[] = [];
  let repeats = 0;

  function booksOf(accountId: string): Books {
    const books = accounts.get(accountId);
    if (books === undefined) throw new Error(`the model has no account ${accountId}`);
    return books;
  }

  function meter(event: UsageEvent, now: Instant): "metered" | "repeat" | DeadLetterReason {
    const unfit = whyUnfit(event, now, setup.window);
    if (unfit !== null) return unfit;
    const identity = JSON.stringify([event.accountId, event.eventId]);
    const before = metered.get(identity);
    if (before !== undefined) return before === contentOf(event) ? "repeat" : "conflict";
    const books = accounts.get(event.accountId);
    if (books === undefined) return "unknown_account";
    const credits = priceOf(event, setup.rates);
    if (typeof credits === "string") return credits;
    endLots(books, event.occurredAt < now ? event.occurredAt : now);
    if (books.travelled + credits > MOST) return "overflow";
    use(books, event.eventId, credits);
    metered.set(identity, contentOf(event));
    return "metered";
  }

  return {
    deadLetters,
    get repeats() {
      return repeats;
    },
    createAccount(accountId, { threshold = 0n } = {}) {
      if (accounts.has(accountId)) throw new Error(`the model has account ${accountId} already`);
      accounts.set(accountId, emptyBooks(threshold));
    },
    grant(accountId, lotId, credits, expiresAt) {
      const books = booksOf(accountId);
      if (books.travelled + balanceOf(books) + credits > MOST) return "overflow";
      addLot(books, lotId, credits, expiresAt);
      return "granted";
    },
    settle(accountId, asOf) {
      endLots(booksOf(accountId), asOf);
    },
    receive(event, now) {
      const outcome = meter(event, now);
      if (outcome === "repeat") repeats += 1;
      else if (outcome !== "metered") deadLetters.push({ event, reason: outcome });
      return outcome;
    },
    account(accountId) {
      const books = booksOf(accountId);
      return { ...books, balance: balanceOf(books) };
    },
  };
}

function emptyBooks(threshold: bigint): Books {
  return {
    threshold,
    lots: [],
    records: [],
    expiries: [],
    lowBalances: [],
    debt: 0n,
    used: 0n,
    entries: 0n,
    saidLow: false,
    travelled: 0n,
  };
}

function balanceOf(books: Books): bigint {
  return books.lots.reduce((sum, lot) => sum + lot.left, 0n) - books.debt;
}

function use(books: Books, eventId: string, credits: bigint): void {
  const record = { eventId, credits, paidBy: new Map<string, bigint>(), unpaid: credits };
  books.records.push(record);
  for (const lot of books.lots) {
    const paid = lot.left < record.unpaid ? lot.left : record.unpaid;
    if (paid === 0n) continue;
    lot.left -= paid;
    record.unpaid -= paid;
    record.paidBy.set(lot.lotId, paid);
  }
  books.debt += record.unpaid;
  books.used += credits;
  books.travelled += credits;
  if (credits > 0n) sayIfLow(books, `event:${eventId}`);
}

function addLot(books: Books, lotId: string, credits: bigint, expiresAt: Instant | null): void {
  let left = credits;
  for (const record of books.records) {
    const paid = left < record.unpaid ? left : record.unpaid;
    if (paid === 0n) continue;
    left -= paid;
    record.unpaid -= paid;
    books.debt -= paid;
    record.paidBy.set(lotId, paid);
  }
  books.lots.push({ lotId, credits, left, expiresAt });
  books.entries += 1n;
  if (!books.saidLow) return;
  books.saidLow = false;
  sayIfLow(books, `entry:${books.entries}`);
}

function endLots(books: Books, asOf: Instant): void {
  const ending = books.lots
    .filter((lot) => lot.left > 0n && lot.expiresAt !== null && lot.expiresAt <= asOf)
    .sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0));
  for (const lot of ending) {
    books.expiries.push({ lotId: lot.lotId, credits: lot.left });
    books.entries += 1n;
    const older = books.lots.slice(0, books.lots.indexOf(lot));
    if (older.every((other) => other.left === 0n)) books.travelled += lot.left;
    lot.left = 0n;
  }
  if (ending.length > 0) sayIfLow(books, `entry:${books.entries}`);
}

function sayIfLow(books: Books, cause: string): void {
  const balance = balanceOf(books);
  if (books.saidLow || balance > books.threshold) return;
  books.saidLow = true;
  books.lowBalances.push({ cause, balance });
}

function priceOf(event: UsageEvent, rates: readonly Rate[]): bigint | "unknown_meter" | "no_price" {
  const ofMeter = rates.filter((rate) => rate.meter === event.meter);
  if (ofMeter.length === 0) return "unknown_meter";
  let valid: Rate | null = null;
  for (const rate of ofMeter) {
    if (rate.validFrom > event.occurredAt) continue;
    if (valid === null || rate.validFrom > valid.validFrom) valid = rate;
  }
  if (valid === null) return "no_price";
  const exact = event.quantity * valid.credits;
  const rest = exact % valid.per;
  return (exact - rest) / valid.per + (rest + rest >= valid.per ? 1n : 0n);
}

function whyUnfit(
  event: UsageEvent,
  now: Instant,
  { maxAheadMs, maxBehindMs }: EventWindow,
): DeadLetterReason | null {
  const ids = [event.eventId, event.accountId, event.meter];
  const pairs = Object.entries(event.dimensions).flat();
  const fit =
    ids.every((id) => id.length >= 1 && id.length <= 256 && !/\uFFFD/.test(id)) &&
    [event.source, ...pairs].every((text) => text.length <= 1024) &&
    pairs.length <= 2 * 64 &&
    [...ids, event.source, ...pairs].every((text) => !/\0|\p{Surrogate}/u.test(text));
  if (!fit) return "malformed";
  if (event.quantity < 0n) return "negative_quantity";
  if (event.quantity > MOST) return "overflow";
  if (event.occurredAt - now > maxAheadMs) return "too_far_ahead";
  return now - event.occurredAt > maxBehindMs ? "too_long_ago" : null;
}

function contentOf({ meter, quantity, occurredAt, source, dimensions }: UsageEvent): string {
  const pairs = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([meter, String(quantity), occurredAt, source, pairs]);
}

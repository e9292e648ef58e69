import type { Instant } from "../../shared/core/line/account.ts";
import type { OwnTerms } from "../../shared/core/offer/own-terms.ts";
import type { MeterVersion } from "../../shared/core/offer/rate-card.ts";
import type {
  DeadLetterReason,
  EventWindow,
  UsageEvent,
} from "../../shared/core/usage/usage-event.ts";
import {
  backFor,
  balanceOf,
  emptyBooks,
  end,
  type NaiveBooks,
  put,
  roomForDraw,
  roomForGrant,
  sayAgainIfLow,
  sayIfLow,
  takeFor,
} from "./naive-books.ts";
import { createMetering } from "./naive-metering.ts";

/**
 * The books, in the simplest possible way: a list of lots that each store their remainder, debt as a
 * separate number, and events drawn one by one from the oldest lot with something left. It knows nothing
 * of the credit line, shares no code with shared/core, and is what the real books are compared with. It
 * covers grants and usage; month-model.ts adds plans and add-ons.
 *
 * It is fed what the system received, in the same order: grants when they were posted, events in offset
 * order with the clock (`now`) of the batch that metered them. It starts at the decoded event;
 * unreadable bytes are the codec's concern.
 */
export interface Model {
  createAccount(accountId: string, options?: { readonly threshold?: bigint }): void;
  /**
   * Adds a lot of micro-credits (above 0) behind all others; debt is repaid first. Settles nothing by
   * itself. Overflow: everything ever used and everything left would not fit in 63 bits.
   */
  grant(
    accountId: string,
    lotId: string,
    credits: bigint,
    expiresAt: Instant | null,
  ): "granted" | "overflow";
  /** Expires every lot due by `asOf`; `receive` does this for its own event. */
  settle(accountId: string, asOf: Instant): void;
  /** Meters one event and returns its outcome. */
  receive(event: UsageEvent, now: Instant): "metered" | "repeat" | DeadLetterReason;
  /** Throws for an account that was not created. */
  account(accountId: string): ModelAccount;
  /** Every event that could not be metered, in order, those of unknown accounts too. */
  readonly deadLetters: readonly {
    readonly event: UsageEvent;
    readonly reason: DeadLetterReason;
  }[];
  /** Events dropped as repeats. */
  readonly repeats: number;
}

/** The expected state of an account. All credits are micro-credits. */
export interface ModelAccount {
  /** Below zero it is debt. */
  readonly balance: bigint;
  /** All usage ever metered, paid for or not. */
  readonly used: bigint;
  /** Oldest first, expired ones included. */
  readonly lots: readonly ModelLot[];
  /** In the order metered. */
  readonly records: readonly ModelRecord[];
  /** In the order posted; `credits` is what the lot still had. */
  readonly expiries: readonly { readonly lotId: string; readonly credits: bigint }[];
  /** In the order published: the first is crossing 1. `cause` is `event:<id>` or `entry:<sequence>`. */
  readonly lowBalances: readonly {
    readonly cause: string;
    readonly balance: bigint;
    readonly needed: boolean;
  }[];
  /** The number of grants, expiries and credits given back posted, which is the last one's sequence. */
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
  readonly source: string;
  readonly credits: bigint;
  /** What each lot paid of it, oldest lot first; lots that paid nothing are left out. */
  readonly paidBy: ReadonlyMap<string, bigint>;
  /** What no lot has paid yet. */
  readonly unpaid: bigint;
}

interface Books extends NaiveBooks {
  readonly records: {
    eventId: string;
    source: string;
    credits: bigint;
    paidBy: Map<string, bigint>;
    unpaid: bigint;
  }[];
  readonly expiries: { lotId: string; credits: bigint }[];
  used: bigint;
}

export function createModel(setup: {
  readonly rates: readonly MeterVersion[];
  readonly ownTerms?: readonly OwnTerms[];
  readonly window: EventWindow;
}): Model {
  const accounts = new Map<string, Books>();
  const metering = createMetering(setup);
  const deadLetters: { event: UsageEvent; reason: DeadLetterReason }[] = [];
  let repeats = 0;

  function booksOf(accountId: string): Books {
    const books = accounts.get(accountId);
    if (books === undefined) throw new Error(`the model has no account ${accountId}`);
    return books;
  }

  function meter(event: UsageEvent, now: Instant): "metered" | "repeat" | DeadLetterReason {
    const unfit = metering.whyUnfit(event, now) ?? metering.metBefore(event);
    if (unfit !== null) return unfit;
    const books = accounts.get(event.accountId);
    if (books === undefined) return "unknown_account";
    const credits = metering.priceOf(event);
    if (typeof credits === "string") return credits;
    endLots(books, event.occurredAt < now ? event.occurredAt : now);
    const onLine = credits - backFor(books, credits, event.occurredAt);
    if (onLine > roomForDraw(books)) return "overflow";
    use(books, event, credits);
    metering.remember(event);
    return "metered";
  }

  return {
    deadLetters,
    get repeats() {
      return repeats;
    },
    createAccount(accountId, { threshold = 0n } = {}) {
      if (accounts.has(accountId)) throw new Error(`the model has account ${accountId} already`);
      accounts.set(accountId, { ...emptyBooks(threshold), records: [], expiries: [], used: 0n });
    },
    grant(accountId, lotId, credits, expiresAt) {
      const books = booksOf(accountId);
      if (credits > roomForGrant(books)) return "overflow";
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

function use(books: Books, { eventId, source, occurredAt }: UsageEvent, credits: bigint): void {
  const { paid, unpaid, gave } = takeFor(books, credits, occurredAt);
  books.entries += BigInt(gave.length);
  const onLine = gave.reduce((left, [, back]) => left - back, credits);
  books.records.push({ eventId, source, credits, paidBy: new Map(paid), unpaid });
  books.used += credits;
  if (onLine > 0n) sayIfLow(books, `event:${eventId}`);
}

function addLot(books: Books, lotId: string, credits: bigint, expiresAt: Instant | null): void {
  let repaid = put(books, { lotId, credits, left: credits, expiresAt, expired: 0n, gone: 0n });
  for (const record of books.records) {
    const paid = repaid < record.unpaid ? repaid : record.unpaid;
    if (paid === 0n) continue;
    repaid -= paid;
    record.unpaid -= paid;
    record.paidBy.set(lotId, paid);
  }
  books.entries += 1n;
  sayAgainIfLow(books);
}

function endLots(books: Books, asOf: Instant): void {
  const ending = books.lots
    .filter((lot) => lot.left > 0n && lot.expiresAt !== null && lot.expiresAt <= asOf)
    .sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0));
  for (const lot of ending) {
    books.expiries.push({ lotId: lot.lotId, credits: end(books, lot) });
    books.entries += 1n;
  }
  if (ending.length > 0) sayIfLow(books, `entry:${books.entries}`);
}

import type { Account, Instant } from "../line/account.ts";
import { MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import type { LowBalance } from "../line/low-balance.ts";
import { type AccountBook, isDue } from "../month/account-book.ts";
import type { Movement } from "../month/movement.ts";
import { price, type RateCard, rateAt } from "../offer/rate-card.ts";
import {
  type AccountInBatch,
  changesOf,
  type Draw,
  draw,
  openAccount,
  type SettlingContext,
  settleBefore,
} from "./account-in-batch.ts";
import type { Spend } from "./spend.ts";
import { isSameEvent, type Rejection, type UsageEvent } from "./usage-event.ts";

/** What a batch of usage events is judged against. All of it was read in one transaction. */
export interface MeteringContext extends SettlingContext {
  readonly rates: RateCard;
  /** The accounts that the events name, as far as they exist. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** What settling reads of every account on which something may have fallen due (`accountsDue`). */
  readonly books: ReadonlyMap<string, Omit<AccountBook, "account">>;
  /**
   * The events already metered under an identity of this batch, by `identityOf`. Null: nothing was
   * looked up, and the unique key of the usage records decides whether one is a repeat.
   */
  readonly recorded: ReadonlyMap<string, UsageEvent> | null;
  /** Posts what stands before an event on its account's line; by the clocks unless it is given. */
  readonly postBefore?: PostBefore;
}

type PostBefore = typeof settleBefore;

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

/** All that a batch of events does to the books. */
export interface Metering<E extends UsageEvent> extends Movement {
  readonly drawn: readonly Drawn<E>[];
  readonly draws: readonly Draw[];
  readonly rejected: readonly Rejected<E>[];
  /** How many events were metered before and are dropped. */
  readonly repeats: number;
  readonly spends: readonly Spend[];
}

/** The identity of an event: the same again is a repeat if it says the same, else a conflict. */
export function identityOf(event: Pick<UsageEvent, "accountId" | "eventId">): string {
  return `${event.accountId}\0${event.eventId}`;
}

/** The accounts whose books `meterUsage` needs: those named by events on which something may be due. */
export function accountsDue(
  events: readonly UsageEvent[],
  accounts: ReadonlyMap<string, Account>,
  now: Instant,
): string[] {
  const mayBeDue = new Set<string>();
  for (const [id, account] of accounts) if (isDue(account, now)) mayBeDue.add(id);
  if (mayBeDue.size === 0) return [];
  const named = new Set<string>();
  for (const { accountId } of events) if (mayBeDue.has(accountId)) named.add(accountId);
  return [...named];
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
  const postBefore = context.postBefore ?? settleBefore;
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
    postBefore(book, event, credits, context, lowBalances);
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

function bookOf(
  accountId: string,
  open: Map<string, AccountInBatch>,
  { accounts, books }: MeteringContext,
): AccountInBatch | null {
  const known = open.get(accountId);
  if (known !== undefined) return known;
  const account = accounts.get(accountId);
  if (account === undefined) return null;
  const book = openAccount(account, books.get(accountId));
  open.set(accountId, book);
  return book;
}

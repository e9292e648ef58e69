import type { Account } from "../line/account.ts";
import { MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import type { LowBalance } from "../line/low-balance.ts";
import type { AccountBook } from "../month/account-book.ts";
import type { Movement } from "../month/movement.ts";
import { price, type RateCard, rateAt } from "../offer/rate-card.ts";
import {
  type AccountInBatch,
  changesOf,
  type Draw,
  draw,
  openAccount,
} from "./account-in-batch.ts";
import type { Spend } from "./spend.ts";
import { identityOf, isSameEvent, type Rejection, type UsageEvent } from "./usage-event.ts";

/** What every event of a batch is judged against. All of it was read in one transaction. */
export interface BatchContext {
  readonly rates: RateCard;
  /** The accounts that the events name, as far as they exist. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** What else was read of accounts, beside their rows. */
  readonly books: ReadonlyMap<string, Omit<AccountBook, "account">>;
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

/** All that a batch of events does to the books. */
export interface Metering<E extends UsageEvent> extends Movement {
  readonly drawn: readonly Drawn<E>[];
  readonly draws: readonly Draw[];
  readonly rejected: readonly Rejected<E>[];
  /** How many events were metered before and are dropped. */
  readonly repeats: number;
  readonly spends: readonly Spend[];
}

/** A batch while its events are played, one after the other. */
export interface EventsInBatch<E extends UsageEvent> extends Omit<BatchContext, "recorded"> {
  readonly recorded: Map<string, UsageEvent> | null;
  readonly open: Map<string, AccountInBatch>;
  readonly drawn: Drawn<E>[];
  readonly rejected: Rejected<E>[];
  readonly lowBalances: LowBalance[];
  repeats: number;
}

/** A batch before its first event. */
export function openBatch<E extends UsageEvent>(context: BatchContext): EventsInBatch<E> {
  const recorded = context.recorded && new Map(context.recorded);
  const nothing = {
    open: new Map<string, AccountInBatch>(),
    drawn: [],
    rejected: [],
    lowBalances: [],
    repeats: 0,
  };
  return { ...context, recorded, ...nothing };
}

/** The account that an event draws on; null: it draws nothing, being a repeat, a conflict or nobody's. */
export function accountFor<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  event: E,
): AccountInBatch | null {
  const before = batch.recorded?.get(identityOf(event));
  if (before !== undefined) {
    if (isSameEvent(before, event)) {
      batch.repeats += 1;
      return null;
    }
    const { quantity, meter, occurredAt } = before;
    const was = `${quantity} of ${meter} at ${occurredAt}`;
    return reject(batch, event, "conflict", `metered before with other content: ${was}`);
  }
  const { accountId } = event;
  const known = batch.open.get(accountId);
  if (known !== undefined) return known;
  const account = batch.accounts.get(accountId);
  if (account === undefined) {
    return reject(batch, event, "unknown_account", `there is no account ${accountId}`);
  }
  const book = openAccount(account, batch.books.get(accountId));
  batch.open.set(accountId, book);
  return book;
}

/** What an event costs; null: it has no price and is rejected. */
export function priceFor<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  event: E,
): MicroCredits | null {
  const rate = rateAt(batch.rates, event.meter, event.occurredAt);
  if (typeof rate !== "string") return price(rate, event.quantity);
  const lacks =
    rate === "unknown_meter" ? "has no price; set one" : "had no price yet when this occurred";
  return reject(batch, event, rate, `meter ${event.meter} ${lacks}`);
}

/** Draws a priced event down on its account, if it fits on the line. */
export function drawEvent<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  book: AccountInBatch,
  event: E,
  credits: MicroCredits,
): void {
  if (book.position + credits > MAX_BIGINT) {
    reject(batch, event, "overflow", `${credits} micro-credits do not fit on the line`);
    return;
  }
  batch.drawn.push({ event, credits, start: book.position });
  draw(book, event, credits, batch.lowBalances);
  batch.recorded?.set(identityOf(event), event);
}

/** All that the batch does once its events are played. */
export function closeBatch<E extends UsageEvent>(batch: EventsInBatch<E>): Metering<E> {
  const { drawn, rejected, repeats, lowBalances, open } = batch;
  return { drawn, rejected, repeats, lowBalances, ...changesOf(open.values()) };
}

function reject<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  event: E,
  reason: Rejection["reason"],
  detail: string,
): null {
  batch.rejected.push({ event, rejection: { reason, detail } });
  return null;
}

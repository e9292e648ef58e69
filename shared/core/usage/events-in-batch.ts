import type { Account } from "../line/account.ts";
import { MAX_BIGINT, type MicroCredits } from "../line/credit-line.ts";
import type { LowBalance } from "../line/low-balance.ts";
import type { AccountBook } from "../month/account-book.ts";
import type { ExpiredLot } from "../month/late-usage.ts";
import type { Movement } from "../month/movement.ts";
import { cardOf, type Rates } from "../offer/rates.ts";
import { newAccountIdProblem } from "../text/text.ts";
import {
  type AccountInBatch,
  changesOf,
  draw,
  type EventCost,
  openAccount,
} from "./account-in-batch.ts";
import type { Carried, CarriedByVersion, MonthUsage } from "./carried.ts";
import { conflictWith } from "./conflict.ts";
import type { DrawnEvent } from "./drawn-lines.ts";
import { carryLines, type PricedLine, priceLines } from "./price-lines.ts";
import type { Spend } from "./spend.ts";
import { identityOf, isSameEvent, type Rejection, type UsageEvent } from "./usage-event.ts";

/** What a batch is metered with, read in one transaction. */
export interface BatchContext {
  readonly rates: Rates;
  /** Those of the accounts named by the events that exist. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** What was read of accounts besides their rows. */
  readonly books: ReadonlyMap<string, Omit<AccountBook, "account">>;
  /** The lots that late events may get back, by account; only of accounts that have one. */
  readonly expired: ReadonlyMap<string, readonly ExpiredLot[]>;
  /** What was carried, and used in a month, under the versions that price the events, by account; none: 0. */
  readonly carried: ReadonlyMap<string, CarriedByVersion>;
  /**
   * Events already metered under the batch's identities, by `identityOf`, as far as these were looked up. Of
   * the others, the unique key of identities detects repeats.
   */
  readonly recorded: ReadonlyMap<string, UsageEvent>;
}

/** A metered event: what all of it costs, and its lines. */
export interface Drawn<E extends UsageEvent> extends DrawnEvent {
  readonly event: E;
  readonly credits: MicroCredits;
}

interface Rejected<E> {
  readonly event: E;
  readonly rejection: Rejection;
}

/** Everything that a batch of events does to the books. */
export interface Metering<E extends UsageEvent> extends Movement {
  readonly drawn: readonly Drawn<E>[];
  readonly rejected: readonly Rejected<E>[];
  /** The number of events that were metered before and are dropped. */
  readonly repeats: number;
  /** For the table of spend: the rest is on the accounts. */
  readonly spends: readonly Spend[];
  /** The remainders that changed. */
  readonly carried: readonly Carried[];
  /** What was used in months, where it changed. */
  readonly months: readonly MonthUsage[];
}

/** A batch while its events are applied one by one. */
interface EventsInBatch<E extends UsageEvent> extends Omit<BatchContext, "recorded"> {
  readonly recorded: Map<string, UsageEvent>;
  readonly open: Map<string, AccountInBatch>;
  readonly drawn: Drawn<E>[];
  readonly rejected: Rejected<E>[];
  readonly lowBalances: LowBalance[];
  repeats: number;
}

/**
 * Applies events in order: prices each with all of its lines and draws it, after `before` has posted what comes
 * before it and returned what of its credits is given back.
 */
export function meterEvents<E extends UsageEvent>(
  events: readonly E[],
  context: BatchContext,
  before: (
    book: AccountInBatch,
    event: E,
    credits: MicroCredits,
    lowBalances: LowBalance[],
  ) => MicroCredits,
): Metering<E> {
  const batch = openBatch<E>(context);
  for (const event of events) {
    const book = accountFor(batch, event);
    if (book === null) continue;
    const lines = priceLines(cardOf(batch.rates, event.accountId), event, book.carried);
    if ("reason" in lines) {
      reject(batch, event, lines);
      continue;
    }
    const credits = creditsOf(lines);
    const givenBack = before(book, event, credits, batch.lowBalances);
    if (drawEvent(batch, book, event, { lines, credits, givenBack })) {
      carryLines(book.carried, lines, event.occurredAt);
    }
  }
  const { drawn, rejected, repeats, lowBalances, open } = batch;
  return { drawn, rejected, repeats, lowBalances, ...changesOf(open.values()) };
}

function openBatch<E extends UsageEvent>(context: BatchContext): EventsInBatch<E> {
  const recorded = new Map(context.recorded);
  const nothing = { drawn: [], rejected: [], lowBalances: [], repeats: 0 };
  return { ...context, recorded, open: new Map<string, AccountInBatch>(), ...nothing };
}

/** The account that an event draws on; null: it is a repeat, a conflict or of an unknown account. */
function accountFor<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  event: E,
): AccountInBatch | null {
  const before = batch.recorded.get(identityOf(event));
  if (before !== undefined) {
    if (isSameEvent(before, event)) {
      batch.repeats += 1;
      return null;
    }
    return reject(batch, event, conflictWith(before, event));
  }
  const { accountId } = event;
  const known = batch.open.get(accountId);
  if (known !== undefined) return known;
  const account = batch.accounts.get(accountId);
  if (account === undefined) {
    const problem = newAccountIdProblem("account_id", accountId);
    return reject(
      batch,
      event,
      problem === null
        ? { reason: "unknown_account", detail: `there is no account ${accountId}` }
        : { reason: "malformed", detail: problem },
    );
  }
  const book = openAccount(
    account,
    batch.books.get(accountId),
    batch.expired.get(accountId),
    batch.carried.get(accountId),
  );
  batch.open.set(accountId, book);
  return book;
}

function creditsOf(lines: readonly PricedLine[]): MicroCredits {
  return lines.reduce((sum, { credits }) => sum + credits, 0n);
}

/** Draws a priced event on its account; false: it does not fit on the line. */
function drawEvent<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  book: AccountInBatch,
  event: E,
  cost: EventCost,
): boolean {
  const { lines, credits, givenBack } = cost;
  if (book.position + credits - givenBack > MAX_BIGINT) {
    reject(batch, event, {
      reason: "overflow",
      detail: `${credits} micro-credits${ofMeter(lines)} do not fit on the line`,
    });
    return false;
  }
  const lineCredits = lines.map((line) => line.credits);
  batch.drawn.push({ event, credits, givenBack, start: book.position, lineCredits });
  draw(book, event, cost, batch.lowBalances);
  batch.recorded.set(identityOf(event), event);
  return true;
}

/** Of several lines, the one that costs most is the first to be looked at. */
function ofMeter(lines: readonly PricedLine[]): string {
  if (lines.length === 1) return "";
  const { meter, credits } = lines.reduce((most, line) =>
    line.credits > most.credits ? line : most,
  );
  return `, of them ${credits} of ${meter},`;
}

function reject<E extends UsageEvent>(
  batch: EventsInBatch<E>,
  event: E,
  rejection: Rejection,
): null {
  batch.rejected.push({ event, rejection });
  return null;
}

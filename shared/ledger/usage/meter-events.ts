import type { Account, Instant } from "../../core/line/account.ts";
import { EMPTY_CATALOGUE } from "../../core/offer/catalogue.ts";
import type { RateCard } from "../../core/offer/rate-card.ts";
import {
  accountsDue,
  type Metering,
  type MeteringContext,
  meterUsage,
} from "../../core/usage/meter-usage.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import { holdAccounts, readAccounts } from "../books/read-accounts.ts";
import { readBooks } from "../books/read-books.ts";
import { readCompleteUntil } from "../books/usage-complete.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import type { Transaction } from "../postgres/database.ts";
import { findRecorded } from "./records.ts";

/** Reads the rate card in a transaction. */
export type ReadRates = (transaction: Transaction) => Promise<RateCard>;

export interface MeteringNeeds {
  readonly readRates: ReadRates;
  readonly now: Instant;
  /** Whether events may be repeats and are looked up first. */
  readonly lookUp: boolean;
  /** Whether the accounts are held from here on, so that no other writer can come first. */
  readonly hold: boolean;
  readonly posting: Posting;
}

/** What is posted on an account before an event draws on it. */
export interface Posting {
  /** Reads what posting needs. */
  read(
    transaction: Transaction,
    accounts: ReadonlyMap<string, Account>,
    usage: { readonly events: readonly ReceivedEvent[]; readonly now: Instant },
  ): Promise<PostingReads>;
  /** Whether it is to be published. */
  readonly isAnnounced: boolean;
}

interface PostingReads
  extends Pick<MeteringContext, "books" | "catalogue" | "completeUntil" | "postBefore"> {
  /** Accounts that are held from here on, as they stand. */
  readonly held: readonly Account[];
  /** Called after metering: reads what turned out to be missing, and with it events are metered again. */
  readMore?(): Promise<Pick<MeteringContext, "books"> | null>;
}

/** Posts what has fallen due, by the clock and by the usage. */
export const BY_THE_CLOCKS: Posting = {
  read: (transaction, accounts, { events, now }) =>
    readDue(transaction, accountsDue(events, accounts, now)),
  isAnnounced: true,
};

/** Meters events against the books as this transaction reads them; writes nothing. */
export async function meterEvents(
  transaction: Transaction,
  { readRates, now, lookUp, hold, posting }: MeteringNeeds,
  events: readonly ReceivedEvent[],
): Promise<Metering<ReceivedEvent>> {
  const rates = await readRates(transaction);
  const recorded = lookUp ? await findRecorded(transaction, events) : null;
  const ids = [...new Set(events.map((event) => event.accountId))];
  if (hold) await holdAccounts(transaction, ids);
  const accounts = await readAccounts(transaction, ids);
  const { held, readMore, ...reads } = await posting.read(transaction, accounts, { events, now });
  for (const account of held) accounts.set(account.accountId, account);
  let read = { now, rates, accounts, ...reads };
  let metering = meterUsage(events, { ...read, recorded });
  for (let more = await readMore?.(); more; more = await readMore?.()) {
    read = { ...read, ...more };
    metering = meterUsage(events, { ...read, recorded });
  }
  if (recorded !== null || metering.rejected.length === 0) return metering;
  // What cannot be metered never meets the unique key, so whether it is a conflict must be looked up.
  const rejected = metering.rejected.map(({ event }) => event);
  const known = await findRecorded(transaction, rejected);
  return meterUsage(events, { ...read, recorded: known });
}

/**
 * What settling needs, read only when something may be due. Those accounts are held: the scheduler
 * settles them at the same time, and a batch that kept losing to it would run again and again.
 */
async function readDue(transaction: Transaction, due: readonly string[]): Promise<PostingReads> {
  if (due.length === 0) {
    return { held: [], books: new Map(), catalogue: EMPTY_CATALOGUE, completeUntil: null };
  }
  return {
    held: await holdAccounts(transaction, due),
    books: await readBooks(transaction, due),
    catalogue: await readCatalogue(transaction),
    completeUntil: await readCompleteUntil(transaction),
  };
}

import type { Account } from "../../core/line/account.ts";
import { EMPTY_CATALOGUE } from "../../core/offer/catalogue.ts";
import type { RateCard } from "../../core/offer/rate-card.ts";
import type { Metering } from "../../core/usage/events-in-batch.ts";
import { accountsDue, type MeteringContext, meterUsage } from "../../core/usage/meter-usage.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import { endAutoTopUps } from "../books/end-auto-top-ups.ts";
import { readExpiredOfLate } from "../books/expired-lots.ts";
import { postMovement } from "../books/post-movement.ts";
import { lockAccounts, readAccounts } from "../books/read-accounts.ts";
import { readBooks } from "../books/read-books.ts";
import { readCompleteUntil } from "../books/usage-complete.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import type { DebitOutcome, UsageBatch } from "./batch.ts";
import { readCarried } from "./carried.ts";
import { exactlyOnce, type Try } from "./exactly-once.ts";
import { findRecorded } from "./records.ts";

/** Reads the rate card in a transaction. */
export type ReadRates = (transaction: Transaction) => Promise<RateCard>;

/** Meters a batch exactly once, settling an account before each event by whose time something is due. */
export function debitUsage(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
): Promise<DebitOutcome> {
  const { now } = batch;
  return exactlyOnce(database, batch, async (transaction, once) => {
    const usage = await readUsage(transaction, readRates, once);
    const due = accountsDue(once.events, usage.accounts, now);
    const read = await readDue(transaction, due, usage.accounts);
    const expired = await readExpiredOfLate(transaction, once.events, usage.accounts);
    const carried = await readCarried(transaction, usage.rates, once.events);
    const context = { now, ...usage, ...read, expired, carried };
    const metering = await meter(transaction, once.events, context);
    if (!(await postMovement(transaction, metering, now))) return null;
    await endAutoTopUps(transaction, metering.changes, now);
    return metering;
  });
}

/** Reads prices, accounts and, with `lookUp`, the events already metered under the same identities. */
export async function readUsage(
  transaction: Transaction,
  readRates: ReadRates,
  { events, old, lookUp, lock }: Try,
) {
  const rates = await readRates(transaction);
  const recorded = lookUp ? await findRecorded(transaction, events, old) : null;
  const ids = [...new Set(events.map((event) => event.accountId))];
  if (lock) await lockAccounts(transaction, ids);
  return { rates, recorded, accounts: await readAccounts(transaction, ids) };
}

/** Rejected events never reach the unique key, so whether one is a repeat or a conflict is looked up. */
async function meter(
  transaction: Transaction,
  events: readonly ReceivedEvent[],
  context: MeteringContext,
): Promise<Metering<ReceivedEvent>> {
  const metering = meterUsage(events, context);
  if (context.recorded !== null || metering.rejected.length === 0) return metering;
  const rejected = metering.rejected.map(({ event }) => event);
  return meterUsage(events, { ...context, recorded: await findRecorded(transaction, rejected) });
}

/**
 * Locks the accounts on which something may be due and reads what settling them needs: the scheduler
 * settles them at the same time, and would win again and again.
 */
async function readDue(
  transaction: Transaction,
  due: readonly string[],
  accounts: Map<string, Account>,
): Promise<Pick<MeteringContext, "books" | "catalogue" | "completeUntil">> {
  if (due.length === 0) {
    return { books: new Map(), catalogue: EMPTY_CATALOGUE, completeUntil: null };
  }
  for (const account of await lockAccounts(transaction, due)) {
    accounts.set(account.accountId, account);
  }
  return {
    books: await readBooks(transaction, due),
    catalogue: await readCatalogue(transaction),
    completeUntil: await readCompleteUntil(transaction),
  };
}

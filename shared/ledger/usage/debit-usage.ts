import type { Account, Instant } from "../../core/line/account.ts";
import { EMPTY_CATALOGUE } from "../../core/offer/catalogue.ts";
import type { Rates } from "../../core/offer/rates.ts";
import { lateAccounts } from "../../core/usage/group-columns.ts";
import { holdCredits } from "../../core/usage/hold-credits.ts";
import {
  type ColumnMetering,
  type ColumnMeteringContext,
  meterColumns,
} from "../../core/usage/meter-columns.ts";
import { accountsDue, type MeteringContext } from "../../core/usage/meter-usage.ts";
import { endAutoTopUps } from "../books/end-auto-top-ups.ts";
import { readExpired } from "../books/expired-lots.ts";
import { postMovement } from "../books/post-movement.ts";
import { lockAccounts, readAccounts } from "../books/read-accounts.ts";
import { readBooks } from "../books/read-books.ts";
import { readCompleteUntil } from "../books/usage-complete.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import { heldAfter, takeFromHolds, writeTaken } from "../holds/take-usage.ts";
import type { Database, Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import type { DebitOutcome, UsageBatch } from "./batch.ts";
import { readCarried } from "./carried.ts";
import { exactlyOnce, type Try } from "./exactly-once.ts";
import { findRecorded, findRepeats } from "./records.ts";

/** Reads the rates of all accounts in a transaction. */
export type ReadRates = (transaction: Transaction) => Promise<Rates>;

/** Meters a batch exactly once, settling an account before each event by whose time something is due. */
export function debitUsage(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
): Promise<DebitOutcome> {
  const { now } = batch;
  return exactlyOnce(database, batch, async (transaction, once) => {
    const usage = await readUsage(transaction, readRates, once);
    const { groups } = once;
    const due = accountsDue(groups.accountIds, usage.accounts, now);
    const read = await readDue(transaction, due, usage.accounts, now);
    const expired = await readExpired(transaction, lateAccounts(groups, usage.accounts));
    const carried = await readCarried(transaction, usage.rates, groups);
    const context = { now, ...usage, ...read, expired, carried };
    batch.onStep?.("read");
    const metering = await meter(transaction, once, context);
    batch.onStep?.("price");
    const taking = await takeFromHolds(transaction, holdCredits(metering), usage.accounts, now);
    const taken = heldAfter(taking);
    const otherHolds = await postMovement(transaction, metering, now, usage.accounts, taken);
    if (otherHolds === null) return null;
    await endAutoTopUps(transaction, metering.changes, now);
    const holds = await writeTaken(transaction, taking, otherHolds, now);
    batch.onStep?.("move");
    return { ...metering, holdsUsed: holds.used, written: holds.written };
  });
}

/** Reads prices, accounts, and the events already metered under the same identities, by `findRepeats`. */
export async function readUsage(transaction: Transaction, readRates: ReadRates, once: Try) {
  const { accountIds } = once.groups;
  // Accounts first: whoever meters one of the events after it was looked up, or sets terms of an account that
  // hold already, moves an account after it was read.
  const [, accounts, rates, repeats] = await together([
    once.lock ? lockAccounts(transaction, accountIds) : null,
    readAccounts(transaction, accountIds),
    readRates(transaction),
    findRepeats(transaction, once.generations, once, once.lookUp),
  ]);
  return { rates, ...repeats, accounts };
}

/** Rejected events never reach the unique key, so whether one is a repeat or a conflict is looked up. */
async function meter(
  transaction: Transaction,
  { groups, lookUp }: Try,
  context: ColumnMeteringContext,
): Promise<ColumnMetering> {
  const metering = meterColumns(groups, context);
  if (lookUp || metering.rejected.length === 0) return metering;
  const rejected = metering.rejected.map(({ event }) => event);
  const found = await findRecorded(transaction, rejected);
  return meterColumns(groups, { ...context, recorded: new Map([...context.recorded, ...found]) });
}

/**
 * Locks the accounts on which something may be due and reads what settling them needs: the scheduler
 * settles them at the same time, and would win again and again.
 */
async function readDue(
  transaction: Transaction,
  due: readonly string[],
  accounts: Map<string, Account>,
  now: Instant,
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
    completeUntil: await readCompleteUntil(transaction, now),
  };
}

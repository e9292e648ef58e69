import { toAccountId } from "../../shared/core/text/text.ts";
import { insertVersions } from "../../shared/ledger/catalogue/insert-versions.ts";
import { createAccount } from "../../shared/ledger/credits/create-account.ts";
import { type Database, inTransaction } from "../../shared/ledger/postgres/database.ts";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";
import { HISTORY_CATALOGUE, HISTORY_RATES, HISTORY_START } from "../model/history-catalogue.ts";
import type { HistoryAccount, MonthHistory } from "../model/month-history.ts";
import { connect, openBooks } from "../support/books/books.ts";

/** The real books with the accounts of a history and its catalogue. */
export interface HistoryBooks {
  readonly url: string;
  readonly database: Database;
  close(): Promise<void>;
}

/** The number of concurrent commands; each is a transaction. */
const CONNECTIONS = 6;

/** Separate books for a history, before its first step. */
export async function openHistoryBooks({ accounts }: MonthHistory): Promise<HistoryBooks> {
  const { url, database: first, close } = await openBooks();
  // Nothing crashes here, so no transaction needs to wait for the disk.
  await first.query(
    `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`,
  );
  await inTransaction(first, addCatalogue);
  const database = connect(url, CONNECTIONS, "of_one_account");
  // One waits for a connection for a limited time only.
  await forEachConcurrently(accounts, CONNECTIONS, (account) => create(database, account));
  return {
    url,
    database,
    async close() {
      await database.end();
      await close();
    },
  };
}

async function create(database: Database, account: HistoryAccount): Promise<void> {
  const { id, timeZone, currency, threshold } = account;
  const asked = { accountId: toAccountId(id), timeZone, currency, threshold: BigInt(threshold) };
  const { kind } = await createAccount(database, asked, { now: HISTORY_START, by: "test" });
  if (kind !== "created") throw new Error(`account ${id} is not created: ${kind}`);
}

async function addCatalogue(transaction: Parameters<typeof insertVersions>[0]): Promise<void> {
  const { plans, addOns } = HISTORY_CATALOGUE;
  await insertVersions(
    transaction,
    {
      meters: HISTORY_RATES.map((rate) => added(rate.meter, rate)),
      plans: [...plans.values()].flat().map((plan) => added(plan.planId, plan)),
      addOns: [...addOns.values()].flat().map((addOn) => added(addOn.addOnId, addOn)),
      creditPrices: [],
    },
    HISTORY_START,
    null,
  );
}

function added<T extends { readonly validFrom: number }>(id: string, terms: T) {
  return { kind: "added", id, validFrom: terms.validFrom, terms, replaces: null } as const;
}

import type { AccountId } from "../../../shared/core/line/account.ts";
import {
  type AccountDetails,
  readAccountDetails,
} from "../../../shared/ledger/books/account-details.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readUsageSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { noAccount, type Result } from "./result.ts";
import { withDatabase } from "./with-database.ts";

/** Reads the books at one instant: what `work` reads fits together. */
export function readBooks<T>(
  settings: Settings,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return withDatabase(settings, (database) => readUsageSnapshot(database, work));
}

/** Reads the books of one account at one instant, and refuses when there is no such account. */
export function readAccountBooks(
  settings: Settings,
  accountId: AccountId,
  work: (transaction: Transaction, details: AccountDetails) => Promise<Result>,
): Promise<Result> {
  return readBooks(settings, async (transaction) => {
    const details = await readAccountDetails(transaction, accountId);
    return details === null ? noAccount(accountId) : work(transaction, details);
  });
}

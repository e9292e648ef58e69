import type { AccountId, Instant } from "../core/account.ts";
import { decideGrant, type Grant, type GrantDecision } from "../core/grant-credits.ts";
import { lockAccount } from "./account-details.ts";
import { noteBalanceChanges } from "./balance-changes.ts";
import { type Database, inTransaction, type Transaction } from "./database.ts";
import { findLot, insertLot } from "./granted-lots.ts";
import { putInOutbox } from "./outbox.ts";
import { lowBalanceRecord } from "./outbox-records.ts";
import { postEntries } from "./post-entries.ts";
import { updateAccounts } from "./update-accounts.ts";

export type GrantOutcome = GrantDecision | { readonly kind: "unknown_account" };

/**
 * Grants credits to an account in one transaction: the lot, its entry, the account, what to publish.
 * The account row is locked, so a grant never has to run again; metering that had read the account
 * does. When the connection is lost, asking again with the same lot id is safe.
 */
export async function grantCredits(
  database: Database,
  accountId: AccountId,
  asked: Grant,
  now: Instant,
): Promise<GrantOutcome> {
  return inTransaction(database, async (transaction) => {
    const account = await lockAccount(transaction, accountId);
    if (account === null) return { kind: "unknown_account" };
    const standing = await findLot(transaction, accountId, asked.lotId);
    const decision = decideGrant(asked, { account, standing, now });
    if (decision.kind === "granted") await write(transaction, decision, now);
    return decision;
  });
}

async function write(
  transaction: Transaction,
  { account, lot, entry, lowBalance }: Extract<GrantDecision, { kind: "granted" }>,
  now: Instant,
): Promise<void> {
  await insertLot(transaction, account.accountId, lot);
  await postEntries(transaction, [entry], [account], now);
  await putInOutbox(transaction, lowBalance === null ? [] : [lowBalanceRecord(lowBalance)]);
  await noteBalanceChanges(transaction, [account]);
  if (!(await updateAccounts(transaction, [account]))) {
    throw new Error(`account ${account.accountId} moved while its row was locked`);
  }
}

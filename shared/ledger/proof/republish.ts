import { toAccountId } from "../../core/text/text.ts";
import { lockAccount } from "../books/account-details.ts";
import { listEntries } from "../books/list-entries.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { creditsPostedRecord } from "../outbox/records.ts";
import { type Database, inTransaction } from "../postgres/database.ts";
import { type Repair, recordRepair } from "./repairs.ts";

/** Leaves an account's entries from one sequence to another to be published again. False: some are gone. */
export async function republishEntries(
  database: Database,
  { from, to }: { readonly from: bigint; readonly to: bigint },
  repair: Repair,
): Promise<boolean> {
  const accountId = toAccountId(repair.accountId);
  return inTransaction(database, async (transaction) => {
    await lockAccount(transaction, accountId);
    const limit = Number(to - from + 1n);
    const entries = await listEntries(transaction, accountId, { before: to + 1n, limit });
    const asked = entries.filter(({ sequence }) => sequence >= from);
    if (asked.length !== limit) return false;
    await putInOutbox(
      transaction,
      asked.map((entry) => creditsPostedRecord(entry, entry.postedAt)),
    );
    await recordRepair(transaction, repair);
    return true;
  });
}

/** Leaves an account's newest state to be published again. */
export async function republishBalance(database: Database, repair: Repair): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await queueBalanceChanges(transaction, [{ accountId: toAccountId(repair.accountId) }]);
    await recordRepair(transaction, repair);
    return true;
  });
}

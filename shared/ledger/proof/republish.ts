import { toAccountId } from "../../core/text/text.ts";
import { lockAccount } from "../books/account-details.ts";
import { listEntries } from "../books/list-entries.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { deleteFromOutbox, putInOutbox } from "../outbox/outbox.ts";
import { creditsPostedRecord } from "../outbox/records.ts";
import type { Database } from "../postgres/database.ts";
import { type Repair, repairOnce } from "./repairs.ts";

/** Puts entries back in the outbox, from one sequence to another. False: some are missing. */
export async function republishEntries(
  database: Database,
  { from, to }: { readonly from: bigint; readonly to: bigint },
  repair: Repair,
): Promise<boolean> {
  const accountId = toAccountId(repair.accountId);
  return repairOnce(database, repair, async (transaction) => {
    await lockAccount(transaction, accountId);
    const limit = Number(to - from + 1n);
    const entries = await listEntries(transaction, accountId, { before: to + 1n, limit });
    const inRange = entries.filter(({ sequence }) => sequence >= from);
    if (inRange.length !== limit) return false;
    const records = inRange.map((entry) => creditsPostedRecord(entry, entry.postedAt));
    // Those that were refused are still there.
    await deleteFromOutbox(transaction, records);
    await putInOutbox(transaction, records);
    return true;
  });
}

/** Queues an account's newest state to be published again. */
export async function republishBalance(database: Database, repair: Repair): Promise<boolean> {
  return repairOnce(database, repair, async (transaction) => {
    await queueBalanceChanges(transaction, [{ accountId: toAccountId(repair.accountId) }]);
    return true;
  });
}

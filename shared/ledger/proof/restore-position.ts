import type { Account } from "../../core/line/account.ts";
import { balanceOf } from "../../core/line/credit-line.ts";
import { rearm, recordLowBalance } from "../../core/line/low-balance.ts";
import { lockAccount } from "../books/account-details.ts";
import { postMovement } from "../books/post-movement.ts";
import type { Database } from "../postgres/database.ts";
import { type Repair, repairOnce } from "./repairs.ts";
import type { MovedPosition } from "./verify-books.ts";

/**
 * Sets an account's position back to the end of its records and entries, and its low-balance state to
 * match. False: the account has moved since.
 */
export async function restorePosition(
  database: Database,
  { accountId, position, by, drawnTo }: MovedPosition,
  repair: Repair,
): Promise<boolean> {
  return repairOnce(database, repair, async (transaction) => {
    const details = await lockAccount(transaction, accountId);
    if (details?.account.position !== position || position - by !== drawnTo) return false;
    const { account, lowBalance } = judged({ ...details.account, position: drawnTo }, repair);
    const nothing = { granted: [], movedLots: [], schedules: [], changes: [], fees: [] };
    const movement = {
      ...nothing,
      ...{ accounts: [account], entries: [] },
      lowBalances: lowBalance === null ? [] : [lowBalance],
    };
    return (await postMovement(transaction, movement, repair.at)) !== null;
  });
}

function judged(account: Account, { difference, at }: Repair) {
  if (balanceOf(account) > account.threshold) return { account: rearm(account), lowBalance: null };
  if (account.lowBalance) return { account, lowBalance: null };
  const crossed = { cause: `repair:${difference}`, occurredAt: at, needed: true };
  return recordLowBalance(account, crossed);
}

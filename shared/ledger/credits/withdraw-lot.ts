import { decideWithdrawal, type Withdrawal } from "../../core/changes/withdraw-lot.ts";
import { findLot } from "../books/granted-lots.ts";
import { type AccountNow, moveAccount, type UnknownAccount } from "../books/move-account.ts";
import type { Database } from "../postgres/database.ts";

/** Withdraws unspent credits of a lot, all or some, in one transaction. */
export async function withdrawLot(
  database: Database,
  at: AccountNow,
  asked: Withdrawal,
): Promise<ReturnType<typeof decideWithdrawal> | UnknownAccount> {
  return moveAccount(database, at, async ({ book }, transaction) => {
    // Settling may have moved it, or brought it.
    const stored = await findLot(transaction, at.accountId, asked.lotId);
    const lot = book.lots.find(({ lotId }) => lotId === asked.lotId) ?? stored;
    const decision = decideWithdrawal(asked, { book, lot, now: at.now });
    return { decision, step: decision.kind === "withdrawn" ? decision : null };
  });
}

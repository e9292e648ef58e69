import { decideWithdrawal, type Withdrawal } from "../../core/changes/withdraw-lot.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { findLot } from "../books/granted-lots.ts";
import { moveAccount, type UnknownAccount } from "../books/move-account.ts";
import type { Database } from "../postgres/database.ts";

/** Takes credits back out of a lot, wholly or in part, in one transaction. */
export async function withdrawLot(
  database: Database,
  at: { readonly accountId: AccountId; readonly now: Instant },
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

import {
  decideWithdrawal,
  type Withdrawal,
  type WithdrawalDecision,
} from "../../core/changes/withdraw-lot.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { findLot } from "../books/granted-lots.ts";
import { moveAccount, type UnknownAccount } from "../books/move-account.ts";
import type { Database } from "../postgres/database.ts";

/** Takes credits back out of a lot, wholly or in part, in one transaction. */
export async function withdrawLot(
  database: Database,
  {
    accountId,
    lotId,
    now,
  }: { readonly accountId: AccountId; readonly lotId: string; readonly now: Instant },
  asked: Withdrawal,
): Promise<WithdrawalDecision | UnknownAccount> {
  return moveAccount<WithdrawalDecision>(
    database,
    { accountId, now },
    async ({ book }, transaction) => {
      // Settling may have moved it, or brought it.
      const stored = await findLot(transaction, accountId, lotId);
      const lot = book.lots.find((standing) => standing.lotId === lotId) ?? stored;
      const decision = decideWithdrawal(asked, { book, lot, now });
      return { decision, step: decision.kind === "withdrawn" ? decision : null };
    },
  );
}

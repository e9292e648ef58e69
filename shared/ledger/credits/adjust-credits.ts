import {
  type Deduction,
  type DeductionDecision,
  deductCredits,
} from "../../core/changes/adjust-credits.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { moveAccount, type UnknownAccount } from "../books/move-account.ts";
import type { Database, Transaction } from "../postgres/database.ts";

export type DeductionOutcome =
  | DeductionDecision
  /** An adjustment of this reference was posted before, of the same credits or of others. */
  | { readonly kind: "stands_already" }
  | { readonly kind: "conflict"; readonly credits: bigint };

const FIND = `
  SELECT credits
  FROM entry
  WHERE account_id = $1 AND kind = 'adjustment' AND lot_id IS NULL AND reference = $2`;

/** Takes credits from an account as a correction, in one transaction; the same reference once. */
export async function takeCredits(
  database: Database,
  at: { readonly accountId: AccountId; readonly now: Instant },
  asked: Deduction,
): Promise<DeductionOutcome | UnknownAccount> {
  return moveAccount<DeductionOutcome>(database, at, async ({ book }, transaction) => {
    const credits = await findAdjustment(transaction, at.accountId, asked.reference);
    if (credits !== null) {
      const decision =
        credits === -asked.credits
          ? ({ kind: "stands_already" } as const)
          : ({ kind: "conflict", credits } as const);
      return { decision, step: null };
    }
    const decision = deductCredits(asked, { book, now: at.now });
    return { decision, step: decision.kind === "deducted" ? decision : null };
  });
}

async function findAdjustment(
  transaction: Transaction,
  accountId: AccountId,
  reference: string,
): Promise<bigint | null> {
  const { rows } = await transaction.query<[string]>({
    text: FIND,
    values: [accountId, reference],
    rowMode: "array",
  });
  return rows[0] === undefined ? null : BigInt(rows[0][0]);
}

import { type Deducted, type Deduction, deductCredits } from "../../core/changes/adjust-credits.ts";
import type { AccountId } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { type AccountNow, moveAccount, type UnknownAccount } from "../books/move-account.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";

type DeductionOutcome =
  | Deducted
  /** The same adjustment was posted before. */
  | { readonly kind: "already_exists" }
  | Refusal<"adjustment_exists" | "no_credits" | "overflow">;

const FIND = `
  SELECT credits
  FROM entry
  WHERE account_id = $1 AND kind = 'adjustment' AND lot_id IS NULL AND reference = $2`;

/** Deducts credits from an account as a correction, in one transaction; once for each reference. */
export async function takeCredits(
  database: Database,
  at: AccountNow,
  asked: Deduction,
): Promise<DeductionOutcome | UnknownAccount> {
  return moveAccount<DeductionOutcome>(database, at, async ({ book }, transaction) => {
    const { reference } = asked;
    const credits = await findAdjustment(transaction, at.accountId, reference);
    if (credits === -asked.credits) return { decision: { kind: "already_exists" }, step: null };
    if (credits !== null) {
      return { decision: { kind: "adjustment_exists", reference, credits }, step: null };
    }
    const decision = deductCredits(asked, { book, now: at.now });
    if (decision.kind !== "deducted") return { decision, step: null };
    return { decision, step: decision, ended: decision.ended };
  });
}

async function findAdjustment(
  transaction: Transaction,
  accountId: AccountId,
  reference: string,
): Promise<bigint | null> {
  const row = await queryRow<{ credits: bigint }>(transaction, FIND, [accountId, reference]);
  return row?.credits ?? null;
}

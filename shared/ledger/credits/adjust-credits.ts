import { type Deducted, type Deduction, deductCredits } from "../../core/changes/adjust-credits.ts";
import type { AccountId } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { erasedReference } from "../books/erased-reference.ts";
import {
  type AccountNow,
  type Decided,
  moveAccount,
  type UnknownAccount,
} from "../books/move-account.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import { type GrantOutcome, grantTo } from "./grant-credits.ts";

/** A correction of a balance. */
export interface Adjustment {
  /** Above 0 adds a lot without an end, below 0 deducts. */
  readonly credits: MicroCredits;
  /** Identifies it among the account's adjustments, up or down. */
  readonly reference: string;
  /** The lot that it becomes, if it adds credits. */
  readonly lotId: string;
}

/** The adjustment that a reference names. `lotId` null: a deduction. */
interface Posted {
  readonly credits: MicroCredits;
  readonly lotId: string | null;
}

/** The same adjustment was posted before. */
type Repeated = { readonly kind: "already_exists" } & Posted;

type DeductionOutcome =
  | Deducted
  | Repeated
  | Refusal<"adjustment_exists" | "no_credits" | "overflow">;

/** Deducts credits from an account as a correction, in one transaction; once for each reference. */
export async function takeCredits(
  database: Database,
  at: AccountNow,
  asked: Deduction,
): Promise<DeductionOutcome | UnknownAccount> {
  return moveAccount<DeductionOutcome>(database, at, async ({ book }, transaction) => {
    const { credits, reference } = asked;
    const posted = await findPosted(transaction, at.accountId, { credits: -credits, reference });
    if (posted !== null) return { decision: posted, step: null };
    const decision = deductCredits(asked, { book, now: at.now });
    if (decision.kind !== "deducted") return { decision, step: null };
    return { decision, step: decision, ended: decision.ended };
  });
}

/** Adjusts a balance up or down, in one transaction; once for each reference, whichever way it went. */
export async function adjustCredits(
  database: Database,
  at: AccountNow,
  { credits, reference, lotId }: Adjustment,
): Promise<DeductionOutcome | GrantOutcome> {
  if (credits <= 0n) return takeCredits(database, at, { credits: -credits, reference });
  type Outcome = Repeated | Refusal<"adjustment_exists"> | GrantOutcome;
  return moveAccount<Outcome>(
    database,
    at,
    async (settled, transaction): Promise<Decided<Outcome>> => {
      const posted = await findPosted(transaction, at.accountId, { credits, reference });
      if (posted !== null) return { decision: posted, step: null };
      const lot = { lotId, credits, source: "adjustment", reference } as const;
      return grantTo(settled, transaction, { ...lot, end: { kind: "never" } }, at.now);
    },
  );
}

const FIND = `
  SELECT entry.credits, entry.lot_id AS "lotId"
  FROM entry
  LEFT JOIN lot ON lot.account_id = entry.account_id AND lot.lot_id = entry.lot_id
  WHERE entry.account_id = $1
    AND entry.reference IN ($2, $3)
    AND ((kind = 'adjustment' AND entry.lot_id IS NULL)
         OR (kind = 'grant' AND lot.source = 'adjustment'))
  ORDER BY sequence
  LIMIT 1`;

/** The account's adjustment under a reference, as a repeat or a conflict of the requested one; null: none. */
async function findPosted(
  transaction: Transaction,
  accountId: AccountId,
  { credits, reference }: Pick<Adjustment, "credits" | "reference">,
): Promise<Repeated | Refusal<"adjustment_exists"> | null> {
  const posted = await queryRow<Posted>(transaction, FIND, [
    ...[accountId, reference],
    erasedReference(accountId, reference),
  ]);
  if (posted === null) return null;
  return posted.credits === credits
    ? { kind: "already_exists", ...posted }
    : { kind: "adjustment_exists", reference, credits: posted.credits };
}

import type { PayingContext } from "../../core/changes/paying-fees.ts";
import type { Changed } from "../../core/changes/subscription-change.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { USUAL_ATTEMPTS } from "../../core/payments/attempts-by-hand.ts";
import { refuseOneMore } from "../books/attempts-by-hand.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { abandonFees, readOpenFees, readWayToPay } from "../books/unpaid-fees.ts";
import type { Database } from "../postgres/database.ts";

/**
 * Changes an account's subscription, add-ons or time zone in one transaction, as one of core's
 * `decide...` functions decides. `by` is who requested it, for the history. A fee to charge is an attempt
 * to pay, of which an account has `most` in an hour.
 */
export async function changeSubscription<D extends { readonly kind: string }>(
  database: Database,
  { accountId, now, by }: RequestedBy,
  decide: (context: PayingContext) => D | Changed,
  most: number = USUAL_ATTEMPTS,
): Promise<D | Changed | Refusal<"too_many_attempts"> | UnknownAccount> {
  type Outcome = D | Changed | Refusal<"too_many_attempts">;
  return moveAccount<Outcome>(database, { accountId, now, by }, async (settled, transaction) => {
    const wayToPay = await readWayToPay(transaction, accountId);
    const unpaidFees = await readOpenFees(transaction, accountId);
    const decision = decide({ ...settled, now, by, wayToPay, unpaidFees });
    const step = isChanged(decision) ? decision : null;
    const isCharged = step !== null && step.fees.length > 0 && wayToPay === "payment_method";
    const refused = isCharged ? await refuseOneMore(transaction, { accountId, now, most }) : null;
    if (refused !== null) return { decision: refused, step: null };
    if (step?.changes.some(({ kind }) => kind === "ended")) {
      await abandonFees(transaction, accountId, step.schedule.subscriptions, now);
    }
    return { decision, step, ended: step?.ended };
  });
}

function isChanged(decision: { readonly kind: string } | Changed): decision is Changed {
  return decision.kind === "changed";
}

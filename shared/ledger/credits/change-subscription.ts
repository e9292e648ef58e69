import type { PayingContext } from "../../core/changes/paying-fees.ts";
import type { Changed } from "../../core/changes/subscription-change.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { abandonFees, readOpenFees, readWayToPay } from "../books/unpaid-fees.ts";
import type { Database } from "../postgres/database.ts";

/**
 * Changes an account's subscription, add-ons or time zone in one transaction, as one of core's
 * `decide...` functions decides. `by` is who requested it, for the history.
 */
export async function changeSubscription<D extends { readonly kind: string }>(
  database: Database,
  { accountId, now, by }: RequestedBy,
  decide: (context: PayingContext) => D | Changed,
): Promise<D | Changed | UnknownAccount> {
  return moveAccount(database, { accountId, now, by }, async (settled, transaction) => {
    const wayToPay = await readWayToPay(transaction, accountId);
    const unpaidFees = await readOpenFees(transaction, accountId);
    const decision = decide({ ...settled, now, by, wayToPay, unpaidFees });
    const step = isChanged(decision) ? decision : null;
    if (step?.changes.some(({ kind }) => kind === "ended")) {
      await abandonFees(transaction, accountId, step.schedule.subscriptions, now);
    }
    return { decision, step, ended: step?.ended };
  });
}

function isChanged(decision: { readonly kind: string } | Changed): decision is Changed {
  return decision.kind === "changed";
}

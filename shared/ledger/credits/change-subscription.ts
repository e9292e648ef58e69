import type { ChangeContext, Changed } from "../../core/changes/subscription-change.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import type { Database } from "../postgres/database.ts";

/**
 * Changes an account's subscription, add-ons or time zone in one transaction, as one of core's
 * `decide...` functions decides. `by` is who requested it, for the history.
 */
export async function changeSubscription<D extends { readonly kind: string }>(
  database: Database,
  { accountId, now, by }: RequestedBy,
  decide: (context: ChangeContext) => D | Changed,
): Promise<D | Changed | UnknownAccount> {
  return moveAccount(database, { accountId, now, by }, (settled) => {
    const decision = decide({ ...settled, now, by });
    return { decision, step: isChanged(decision) ? decision : null };
  });
}

function isChanged(decision: { readonly kind: string } | Changed): decision is Changed {
  return decision.kind === "changed";
}

import type { OwnCeilings } from "../../core/payments/ceilings.ts";
import { type CeilingsDecision, decideCeilings } from "../../core/payments/set-ceilings.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { recordSettings } from "../books/setting-changes.ts";
import type { Database } from "../postgres/database.ts";

/**
 * Sets the given ceilings of an account's top-ups, in minor units; null: the default. A pending top-up
 * is not affected. `by` is who requested it, for the history.
 */
export async function setCeilings(
  database: Database,
  { accountId, now, by }: RequestedBy,
  ceilings: Partial<OwnCeilings>,
): Promise<CeilingsDecision | UnknownAccount> {
  return moveAccount(database, { accountId, now }, async (settled, transaction) => {
    const before = await readAutoTopUp(transaction, accountId);
    const decision = decideCeilings(ceilings, before, { ...settled, now });
    if (decision.kind === "set") {
      await writeAutoTopUp(transaction, accountId, { auto: decision.auto, notices: [], now });
      await recordSettings(transaction, { accountId, now, by });
    }
    return { decision, step: null };
  });
}

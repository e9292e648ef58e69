import {
  type AutoTopUp,
  type AutoTopUpSettingsDecision,
  decideAutoTopUpSettings,
  type TopUpSettings,
} from "../../core/payments/auto-top-up.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { recordSettings } from "../books/setting-changes.ts";
import type { Database } from "../postgres/database.ts";

/**
 * Changes the given settings of an account's auto top-up. A pending top-up is not affected. An auto
 * top-up that was paused or stopped starts again. `by` is who requested it, for the history.
 */
export async function setAutoTopUp(
  database: Database,
  { accountId, now, by }: RequestedBy,
  settings: Partial<TopUpSettings>,
): Promise<AutoTopUpSettingsDecision | UnknownAccount> {
  return moveAccount(database, { accountId, now }, async (settled, transaction) => {
    const before: AutoTopUp = await readAutoTopUp(transaction, accountId);
    const decision = decideAutoTopUpSettings(settings, before, { ...settled, now });
    if (decision.kind === "set") {
      await writeAutoTopUp(transaction, accountId, { auto: decision.auto, notices: [], now });
      await recordSettings(transaction, { accountId, now, by });
    }
    return { decision, step: null };
  });
}

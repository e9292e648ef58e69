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
 * Changes an account's settings of auto top-up, those that are given. A top-up that is pending stays
 * as it is; `by` is who asked, for the history. The customer has acted: where auto top-up was paused or stopped, it starts again.
 */
export async function setAutoTopUp(
  database: Database,
  { accountId, now, by }: RequestedBy,
  asked: Partial<TopUpSettings>,
): Promise<AutoTopUpSettingsDecision | UnknownAccount> {
  return moveAccount(database, { accountId, now }, async ({ currency }, transaction) => {
    const before: AutoTopUp = await readAutoTopUp(transaction, accountId);
    const decision = decideAutoTopUpSettings(asked, before, { currency, now });
    if (decision.kind === "set") {
      await writeAutoTopUp(transaction, accountId, { auto: decision.auto, notices: [], now });
      await recordSettings(transaction, { accountId, now, by });
    }
    return { decision, step: null };
  });
}

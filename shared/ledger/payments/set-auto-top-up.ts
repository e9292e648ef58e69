import type { Refusal } from "../../core/line/refusal.ts";
import { USUAL_ATTEMPTS } from "../../core/payments/attempts-by-hand.ts";
import {
  type AutoTopUp,
  type AutoTopUpSettingsDecision,
  decideAutoTopUpSettings,
  startsCharging,
  type TopUpSettings,
} from "../../core/payments/auto-top-up.ts";
import { refuseOneMore } from "../books/attempts-by-hand.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { recordSettings } from "../books/setting-changes.ts";
import type { Database } from "../postgres/database.ts";

export type SetAutoTopUpOutcome = AutoTopUpSettingsDecision | Refusal<"too_many_attempts">;

/**
 * Changes the given settings of an account's auto top-up. A pending top-up is not affected. An auto
 * top-up that was paused or stopped starts again, unless the account has had `most` attempts to pay within
 * an hour. `by` is who requested it, for the history.
 */
export async function setAutoTopUp(
  database: Database,
  { accountId, now, by }: RequestedBy,
  settings: Partial<TopUpSettings>,
  most: number = USUAL_ATTEMPTS,
): Promise<SetAutoTopUpOutcome | UnknownAccount> {
  return moveAccount<SetAutoTopUpOutcome>(
    database,
    { accountId, now },
    async (settled, transaction) => {
      const before: AutoTopUp = await readAutoTopUp(transaction, accountId);
      const decision = decideAutoTopUpSettings(settings, before, { ...settled, now });
      if (decision.kind === "set") {
        const refused = startsCharging(before, decision.auto)
          ? await refuseOneMore(transaction, { accountId, now, most })
          : null;
        if (refused !== null) return { decision: refused, step: null };
        await writeAutoTopUp(transaction, accountId, { auto: decision.auto, notices: [], now });
        await recordSettings(transaction, { accountId, now, by });
      }
      return { decision, step: null };
    },
  );
}

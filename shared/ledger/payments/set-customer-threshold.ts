import { decideThreshold } from "../../core/changes/change-threshold.ts";
import type { Changed } from "../../core/changes/subscription-change.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { creditPriceAt } from "../../core/offer/catalogue.ts";
import { ceilingsOf } from "../../core/payments/ceilings.ts";
import { refuseThreshold } from "../../core/payments/highest-threshold.ts";
import { readAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import type { Database } from "../postgres/database.ts";

type ThresholdDecision = Changed | Refusal<"threshold_too_high" | "no_change">;

/**
 * Changes the threshold of an account for its customer, in one transaction; refused where no top-up
 * within the ceilings could lift the balance above it. `by` is who requested it, for the history.
 */
export async function setCustomerThreshold(
  database: Database,
  { accountId, now, by }: RequestedBy,
  threshold: MicroCredits,
): Promise<ThresholdDecision | UnknownAccount> {
  return moveAccount<ThresholdDecision>(
    database,
    { accountId, now },
    async (settled, transaction) => {
      const { book, catalogue, currency } = settled;
      const { ceilings: own } = await readAutoTopUp(transaction, accountId);
      const price = creditPriceAt(catalogue, currency, now);
      const before = book.account.threshold;
      const refused = refuseThreshold(threshold, before, ceilingsOf(own, settled), price);
      if (refused !== null) return { decision: refused, step: null };
      const decision = decideThreshold(threshold, { ...settled, now, by });
      return { decision, step: decision.kind === "changed" ? decision : null };
    },
  );
}

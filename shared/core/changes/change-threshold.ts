import type { MicroCredits } from "../line/credit-line.ts";
import { applyThreshold } from "../line/low-balance.ts";
import type { Refusal } from "../line/refusal.ts";
import { addToHistory } from "../month/subscription.ts";
import type { ChangeContext, Changed } from "./subscription-change.ts";

/**
 * Changes the threshold. Raising it to the balance or above is a crossing and is published; lowering it
 * below the balance arms the account.
 */
export function decideThreshold(
  threshold: MicroCredits,
  { book, by, now }: ChangeContext,
): Changed | Refusal<"no_change"> {
  const { account } = book;
  if (threshold === account.threshold)
    return { kind: "no_change", setting: "threshold", threshold };
  const detail = { threshold: `${threshold}`, before: `${account.threshold}` };
  const change = { kind: "threshold_changed", detail } as const;
  const { schedule, changes } = addToHistory(book.schedule, [change], { by, at: now });
  const judged = applyThreshold({ ...account, threshold }, now);
  const posted = { entries: [], granted: [], changes, fees: [] };
  return { kind: "changed", ...judged, lots: book.lots, schedule, ...posted };
}

import type { Entry } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { instantJson } from "../shell/print.ts";

/** An entry's fields for `--json`. */
export function entryJson(entry: Entry) {
  return {
    sequence: entry.sequence,
    kind: entry.kind,
    credits: entry.credits,
    balance: balanceOf(entry),
    lot_id: entry.lotId,
    reference: entry.reference,
    due_at: instantJson(entry.dueAt),
  };
}

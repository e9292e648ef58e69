import type { Entry } from "../../shared/core/account.ts";
import { balanceOf } from "../../shared/core/credit-line.ts";
import { instantJson } from "./print.ts";

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

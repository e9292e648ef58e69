import type { MicroCredits } from "../line/credit-line.ts";
import { UNLIMITED } from "../line/overdraft.ts";
import type { Refusal } from "../line/refusal.ts";
import { addToHistory } from "../month/subscription.ts";
import type { ChangeContext, Changed } from "./subscription-change.ts";

/** Changes how far below zero holds and allowances may go; null: the default. Moves nothing. */
export function decideOverdraft(
  overdraft: MicroCredits | null,
  { book, by, now }: ChangeContext,
): Changed | Refusal<"no_change"> {
  const { account } = book;
  if (overdraft === account.overdraft)
    return { kind: "no_change", setting: "overdraft", overdraft };
  const detail = { overdraft: textOf(overdraft), before: textOf(account.overdraft) };
  const change = { kind: "overdraft_changed", detail } as const;
  const { schedule, changes } = addToHistory(book.schedule, [change], { by, at: now });
  const posted = { entries: [], granted: [], changes, fees: [], lowBalance: null };
  return {
    kind: "changed",
    account: { ...account, overdraft },
    lots: book.lots,
    schedule,
    ...posted,
  };
}

function textOf(overdraft: MicroCredits | null): string {
  if (overdraft === null) return "default";
  return overdraft === UNLIMITED ? "unlimited" : `${overdraft}`;
}

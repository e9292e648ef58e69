import type { ChangeContext, Changed } from "../core/changes/subscription-change.ts";
import type { Account } from "../core/line/account.ts";

/** Why a change is not made, in one sentence. */
export interface Refusal {
  readonly kind: "refused";
  readonly sentence: string;
}

export function refusal(sentence: string): Refusal {
  return { kind: "refused", sentence };
}

/** One of core's decisions, with the sentence for whatever it refuses. */
export type Change = (context: ChangeContext) => Changed | Refusal;

/** "account acme" */
export function subject({ book }: { readonly book: { readonly account: Account } }): string {
  return `account ${book.account.accountId}`;
}

import type { Entry, Instant } from "../line/account.ts";
import { drawDown, type MicroCredits } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import type { Refusal } from "../line/refusal.ts";
import type { AccountBook } from "../month/account-book.ts";
import { mostToDraw } from "../month/add-on-charge.ts";
import { finishMovement, type Settlement, settleEnded } from "../month/settle.ts";

/** A correction that takes credits from an account. */
export interface Deduction {
  /** Above 0. */
  readonly credits: MicroCredits;
  /** Identifies it among the account's adjustments: a repeat takes nothing. */
  readonly reference: string;
}

export type Deducted = Settlement & {
  readonly kind: "deducted";
  readonly entry: Entry;
  /** What was posted before it (`settleEnded`). */
  readonly ended: Settlement;
};

/**
 * Draws the credits from the line, oldest first, but not from lots that have ended; this may leave a
 * debt. Nothing in the past changes.
 */
export function deductCredits(
  { credits, reference }: Deduction,
  { book, now }: { readonly book: AccountBook; readonly now: Instant },
): Deducted | Refusal<"no_credits" | "overflow"> {
  if (credits <= 0n) return { kind: "no_credits" };
  const ended = settleEnded(book, now);
  const most = mostToDraw(ended.account);
  if (credits > most) return { kind: "overflow", most };
  const posted = {
    kind: "adjustment",
    credits: -credits,
    lotId: null,
    reference,
    dueAt: now,
  } as const;
  const { account, entry } = postEntry(drawDown(ended.account, credits), posted);
  const { lots, schedule } = ended;
  const deducted = finishMovement({ account, lots, schedule }, { entries: [entry] });
  return { kind: "deducted", entry, ended, ...deducted };
}

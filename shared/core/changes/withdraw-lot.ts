import type { Instant, Lot } from "../line/account.ts";
import { usableOf } from "../line/available.ts";
import { type MicroCredits, withdraw, withMoved } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import type { Refusal } from "../line/refusal.ts";
import type { AccountBook } from "../month/account-book.ts";
import { toLot } from "../month/grant-credits.ts";
import { finishMovement, type Settlement } from "../month/settle.ts";

/** A request to withdraw credits from a lot. */
export interface Withdrawal {
  readonly lotId: string;
  /** Null: all that remain. */
  readonly credits: MicroCredits | null;
  /** Free text: a refund, a ticket. */
  readonly reference: string;
}

export interface WithdrawalContext {
  /** Settled up to `now`. */
  readonly book: AccountBook;
  /** The lot, if the account has it. */
  readonly lot: Lot | null;
  readonly now: Instant;
}

export type Withdrawn = Settlement & {
  readonly kind: "withdrawn";
  readonly credits: MicroCredits;
};

/**
 * Withdraws credits from the end of a lot, at most what remains of it, so what was used stays paid. The
 * lots behind it keep their credits. A lot that has ended has nothing left but for late usage.
 */
export function decideWithdrawal(
  request: Withdrawal,
  { book, lot, now }: WithdrawalContext,
): Withdrawn | Refusal<"unknown_lot" | "no_credits" | "exceeds_remaining"> {
  const { lotId } = request;
  if (lot === null) return { kind: "unknown_lot", lotId };
  const remaining = usableOf(lot, book.account.position, now);
  const credits = request.credits ?? remaining;
  if (request.credits !== null && request.credits <= 0n) return { kind: "no_credits" };
  if (remaining === 0n || credits > remaining) {
    return { kind: "exceeds_remaining", lotId, remaining };
  }

  const { line, moved } = withdraw(book.account, book.lots, toLot(lot), credits);
  const { account, entry } = postEntry(line, {
    kind: "adjustment",
    credits: -credits,
    lotId,
    reference: request.reference,
    dueAt: now,
  });
  const after = { account, lots: withMoved(book.lots, moved), schedule: book.schedule };
  return { kind: "withdrawn", credits, ...finishMovement(after, { entries: [entry] }) };
}

import { endOfOtherLot, type MonthBooks, postGrant, postWithdrawal } from "./month-books.ts";
import { roomForGrant, sayAgainIfLow, sayIfLow } from "./naive-books.ts";

/** Credits granted and withdrawn by hand, each on a settled account at `now`. */

export interface GrantAsked {
  readonly lotId: string;
  readonly credits: bigint;
  readonly reference?: string;
  readonly end:
    | { readonly kind: "usual" }
    | { readonly kind: "at"; readonly at: number }
    | { readonly kind: "never" };
}

export interface WithdrawalAsked {
  readonly lotId: string;
  /** Null: everything left of the lot. */
  readonly credits: bigint | null;
  readonly reference?: string;
}

export function grant(
  books: MonthBooks,
  { lotId, credits, reference = "", end }: GrantAsked,
  now: number,
): "granted" | "lot_exists" | "no_credits" | "overflow" | "already_ended" {
  if (books.lots.some((lot) => lot.lotId === lotId)) return "lot_exists";
  if (credits <= 0n) return "no_credits";
  if (credits > roomForGrant(books)) return "overflow";
  const expiresAt = end.kind === "at" ? end.at : endOfOtherLot(books, now, end);
  if (expiresAt !== null && expiresAt <= now) return "already_ended";
  postGrant(books, { lotId, credits, reference, expiresAt }, now);
  sayAgainIfLow(books);
  return "granted";
}

export function withdraw(
  books: MonthBooks,
  { lotId, credits, reference = "" }: WithdrawalAsked,
  now: number,
): "withdrawn" | "unknown_lot" | "no_credits" | "exceeds_remaining" {
  const lot = books.lots.find((one) => one.lotId === lotId);
  if (lot === undefined) return "unknown_lot";
  if (credits !== null && credits <= 0n) return "no_credits";
  const hasEnded = lot.expiresAt !== null && lot.expiresAt <= now;
  if (hasEnded || lot.left === 0n || (credits ?? 0n) > lot.left) return "exceeds_remaining";
  postWithdrawal(books, lot, { credits: credits ?? lot.left, reference }, now);
  sayIfLow(books, `entry:${books.entries}`);
  return "withdrawn";
}

import type { Entry, Instant } from "../line/account.ts";
import { drawDown, type MicroCredits, withdraw, withMoved } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import type { AccountBook } from "../month/account-book.ts";
import { mostToDraw } from "../month/add-on-charge.ts";
import { type GrantedLot, toLot } from "../month/grant-credits.ts";
import { finishMovement, type Settlement } from "../month/settle.ts";
import type { TopUp } from "./payment.ts";

/** Money of a top-up that went back: by a refund, or because the customer's bank took it. */
export interface Reversal {
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** What went back of the same top-up before. */
  readonly amountBefore: bigint;
  /** For the books: what it went back by. */
  readonly reference: string;
}

/** What a reversal is judged against. */
export interface ReversalContext {
  /** Settled up to `now`. */
  readonly book: AccountBook;
  /** The top-up's lot, where it lies now. */
  readonly lot: GrantedLot;
  /** What of the lot is left, and what was spent of it and not reversed before. */
  readonly remaining: MicroCredits;
  readonly spent: MicroCredits;
  readonly now: Instant;
}

export interface ReversalOutcome {
  /** Null: the lot has ended, and nothing of it is left or was spent. */
  readonly step: Settlement | null;
  /** Credits cut out of the lot, unspent. */
  readonly withdrawn: MicroCredits;
  /** Credits that were spent and are drawn from the account's line: debt, where it has no others. */
  readonly owed: MicroCredits;
}

/**
 * Takes the credits of money that went back off the account: as large a share of the lot as of the
 * payment, rounded down in the customer's favour. Unspent ones are withdrawn from the lot first; spent
 * ones are drawn from the line, as far as it reaches. What of the lot expired was neither, and is owed
 * by nobody.
 */
export function reverseTopUp(
  topUp: TopUp,
  reversal: Reversal,
  { book, lot, remaining, spent, now }: ReversalContext,
): ReversalOutcome {
  const credits = shareOf(topUp, reversal);
  const withdrawn = least(credits, remaining);
  const owed = least(credits - withdrawn, spent, mostToDraw(book.account));
  const details = { lotId: lot.lotId, reference: reversal.reference, dueAt: now };
  const entries: Entry[] = [];
  let { account, lots } = book;
  if (withdrawn > 0n) {
    const cut = withdraw(account, lots, toLot(lot), withdrawn);
    const posted = postEntry(cut.line, { kind: "adjustment", credits: -withdrawn, ...details });
    entries.push(posted.entry);
    account = posted.account;
    lots = withMoved(lots, cut.moved);
  }
  if (owed > 0n) {
    const posted = postEntry(drawDown(account, owed), {
      kind: "reversal",
      credits: -owed,
      ...details,
    });
    entries.push(posted.entry);
    account = posted.account;
  }
  if (entries.length === 0) return { step: null, withdrawn, owed };
  const after = { account, lots, schedule: book.schedule };
  return { step: finishMovement(after, { entries }), withdrawn, owed };
}

/** Counted over all that went back, so that many small refunds take no more than one of all. */
function shareOf(
  { credits, amount: paid }: TopUp,
  { amount, amountBefore }: Reversal,
): MicroCredits {
  const upTo = (back: bigint) => (credits * back) / paid;
  return upTo(amountBefore + amount) - upTo(amountBefore);
}

function least(...credits: readonly MicroCredits[]): MicroCredits {
  return credits.reduce((a, b) => (a < b ? a : b));
}

import type { Entry, Instant } from "../line/account.ts";
import {
  drawDown,
  least,
  type MicroCredits,
  remainingOf,
  withdraw,
  withMoved,
} from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import type { AccountBook } from "../month/account-book.ts";
import { mostToDraw } from "../month/add-on-charge.ts";
import { type GrantedLot, toLot } from "../month/grant-credits.ts";
import { finishMovement, type Settlement, settleEnded } from "../month/settle.ts";
import type { TopUp } from "./payment.ts";

/** A refund or chargeback of a top-up. */
export interface Reversal {
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** What was reversed of the same top-up before. */
  readonly amountBefore: bigint;
  /** Names the refund or chargeback. */
  readonly reference: string;
}

/** What a reversal is decided on. */
export interface ReversalContext {
  /** Settled up to `now`. */
  readonly book: AccountBook;
  /** The top-up's lot, with its current stretch. */
  readonly lot: GrantedLot;
  /** What is left of the lot, and what was spent of it and not reversed yet. */
  readonly remaining: MicroCredits;
  readonly spent: MicroCredits;
  readonly now: Instant;
}

export interface ReversalOutcome {
  /** Null: nothing of the lot is left or was spent. */
  readonly step: Settlement | null;
  /** What was posted before it (`settleEnded`); null: nothing is drawn. */
  readonly ended: Settlement | null;
  /** Unspent credits that are cut out of the lot. */
  readonly withdrawn: MicroCredits;
  /** Spent credits that are drawn from the line; debt, if it has no others. */
  readonly owed: MicroCredits;
}

/**
 * Reverses a top-up's credits, in proportion to the money, rounded down in the customer's favour.
 * Unspent credits of the lot are withdrawn first; spent ones are drawn from the line, as far as it
 * reaches, but not from lots that have ended. Expired credits are not owed.
 */
export function reverseTopUp(
  topUp: TopUp,
  reversal: Reversal,
  { book, lot, remaining, spent, now }: ReversalContext,
): ReversalOutcome {
  const credits = shareOf(topUp, reversal);
  const ended = credits > remaining && spent > 0n ? settleEnded(book, now) : null;
  let { account, lots } = ended ?? book;
  // The expiry of another lot may have moved it, and an add-on's charge that waited before that may have drawn on it.
  const place = lots.find(({ lotId }) => lotId === lot.lotId) ?? toLot(lot);
  const left = least(remaining, remainingOf(place, account.position));
  const withdrawn = least(credits, left);
  const owed = least(credits - withdrawn, spent + remaining - left, mostToDraw(account));
  const details = { lotId: lot.lotId, reference: reversal.reference, dueAt: now };
  const entries: Entry[] = [];
  if (withdrawn > 0n) {
    const cut = withdraw(account, lots, place, withdrawn);
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
  if (entries.length === 0) return { step: null, ended, withdrawn, owed };
  const after = { account, lots, schedule: (ended ?? book).schedule };
  return { step: finishMovement(after, { entries }), ended, withdrawn, owed };
}

/** Counted over all reversals, so that many small refunds take no more than one large one. */
function shareOf(
  { credits, amount: paid }: TopUp,
  { amount, amountBefore }: Reversal,
): MicroCredits {
  const upTo = (back: bigint) => (credits * back) / paid;
  return upTo(amountBefore + amount) - upTo(amountBefore);
}

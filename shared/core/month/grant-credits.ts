import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import { grant, MAX_BIGINT, type MicroCredits, type Stretch } from "../line/credit-line.ts";
import { judgeBalance, type LowBalance } from "../line/low-balance.ts";
import { postEntry } from "../line/post-entry.ts";
import { isReservedLot } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import { earlier } from "./account-book.ts";
import { endOfLot, GRACE_MS, type LotEnd } from "./expiry.ts";

/** Where a lot's credits come from. */
export const LOT_SOURCES = ["plan", "top_up", "promotion", "adjustment"] as const;

export type LotSource = (typeof LOT_SOURCES)[number];

/** What is asked for: credits of one source, as one lot. */
export interface Grant {
  /** The grant's identity within the account: the same lot id again grants nothing. */
  readonly lotId: string;
  readonly credits: MicroCredits;
  readonly source: LotSource;
  /** Free words for the books: an invoice, a ticket. */
  readonly reference: string;
  readonly end: LotEnd;
}

/** A lot with what its grant said. `credits` stay as granted, also when its stretch is cut out. */
export interface GrantedLot extends Lot {
  readonly credits: MicroCredits;
  readonly source: LotSource;
  readonly reference: string;
  readonly grantedAt: Instant;
}

export type GrantDecision =
  | {
      readonly kind: "granted";
      /** The account afterwards, with the version it was read at. */
      readonly account: Account;
      readonly lot: GrantedLot;
      readonly entry: Entry;
      readonly lowBalance: LowBalance | null;
    }
  /** This very grant was made before. */
  | { readonly kind: "already_exists"; readonly lot: GrantedLot }
  | Refusal<"lot_exists" | "reserved_lot_id" | "no_credits" | "overflow" | "already_ended">;

/** What a grant is judged against, read in one transaction. */
export interface GrantContext {
  readonly account: Account;
  /** The account's lot of the grant's lot id, if there is one. */
  readonly standing: GrantedLot | null;
  readonly now: Instant;
}

/**
 * Puts a lot at the end of the account's line; debt is repaid by the same step. An account that was
 * said to be low is armed again, or said again when the grant leaves it at or below its threshold.
 *
 * Expiries that are due need not be posted first: a lot's expiry and a grant behind it give the same
 * line in either order, and within the grace late usage may still draw on a lot that has ended.
 */
export function decideGrant(asked: Grant, context: GrantContext): GrantDecision {
  const { account, standing, now } = context;
  const { timeZone } = account;
  if (standing !== null) {
    if (isSameGrant(asked, standing, timeZone)) return { kind: "already_exists", lot: standing };
    const { credits, source, reference, expiresAt } = standing;
    return { kind: "lot_exists", lotId: asked.lotId, credits, source, reference, expiresAt };
  }
  // Where such a lot stood, the month's turn or the top-up that brings it could not be stored.
  if (isReservedLot(asked.lotId)) return { kind: "reserved_lot_id", lotId: asked.lotId };
  if (asked.credits <= 0n) return { kind: "no_credits" };
  const most = mostToGrant(account);
  if (asked.credits > most) return { kind: "overflow", most };
  const expiresAt = endOfLot(asked.end, now, timeZone);
  if (expiresAt !== null && expiresAt <= now) return { kind: "already_ended", at: expiresAt };

  const { lotId, credits, source, reference } = asked;
  const added = addLot(account, { lotId, credits, source, reference, grantedAt: now, expiresAt });
  const nextDueAt = earlier(account.nextDueAt, expiresAt);
  const settleAt = earlier(account.settleAt, expiresAt === null ? null : expiresAt + GRACE_MS);
  const judged = judgeBalance({ ...added.account, nextDueAt, settleAt }, [added.entry]);
  return { kind: "granted", ...judged, lot: added.lot, entry: added.entry };
}

/** A lot before it has its place on the line. */
export type NewLot = Omit<GrantedLot, keyof Stretch>;

/** Puts a lot at the end of the line and posts its grant. That it fits there is the caller's to see to. */
export function addLot(
  account: Account,
  lot: NewLot,
): { account: Account; lot: GrantedLot; entry: Entry } {
  const { lotId, credits, reference, grantedAt: dueAt } = lot;
  const { line, lot: stretch } = grant(account, credits);
  const posted = postEntry(line, { kind: "grant", credits, lotId, reference, dueAt });
  return { ...posted, lot: { ...stretch, ...lot } };
}

/** The same with no more credits than still fit on the line; null where none do. */
export function addLotThatFits(account: Account, lot: NewLot): ReturnType<typeof addLot> | null {
  const most = mostToGrant(account);
  const credits = lot.credits < most ? lot.credits : most;
  return credits === 0n ? null : addLot(account, { ...lot, credits });
}

/** The lot as settling knows it. */
export function toLot({ lotId, start, end, expiresAt }: Lot): Lot {
  return { lotId, start, end, expiresAt };
}

/** How many credits still fit on the account's line. */
export function mostToGrant(account: Account): MicroCredits {
  return MAX_BIGINT - account.granted;
}

/** Asked again later, the usual life still counts from when the lot was granted. */
function isSameGrant(asked: Grant, lot: GrantedLot, timeZone: string): boolean {
  return (
    asked.credits === lot.credits &&
    asked.source === lot.source &&
    asked.reference === lot.reference &&
    endOfLot(asked.end, lot.grantedAt, timeZone) === lot.expiresAt
  );
}

import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import { grant, MAX_BIGINT, type MicroCredits, type Stretch } from "../line/credit-line.ts";
import { judgeBalance, type LowBalance } from "../line/low-balance.ts";
import { postEntry } from "../line/post-entry.ts";
import { isReservedLot } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import { isErased } from "../text/erased.ts";
import { earlier } from "./account-book.ts";
import { endOfLot, GRACE_MS, type LotEnd } from "./expiry.ts";

/** Where a lot's credits come from. */
export const LOT_SOURCES = ["plan", "top_up", "promotion", "adjustment"] as const;

export type LotSource = (typeof LOT_SOURCES)[number];

/** A request to add credits as one lot. */
export interface Grant {
  /** Identifies the grant within the account: a repeat grants nothing. */
  readonly lotId: string;
  readonly credits: MicroCredits;
  readonly source: LotSource;
  /** Free text: an invoice, a ticket. */
  readonly reference: string;
  readonly end: LotEnd;
}

/** A lot with the terms of its grant. `credits` stay as granted, even if the lot is withdrawn. */
export interface GrantedLot extends Lot {
  readonly credits: MicroCredits;
  readonly source: LotSource;
  readonly reference: string;
  readonly grantedAt: Instant;
}

export type GrantDecision =
  | {
      readonly kind: "granted";
      /** The account afterwards, with the version that was read. */
      readonly account: Account;
      readonly lot: GrantedLot;
      readonly entry: Entry;
      readonly lowBalance: LowBalance | null;
    }
  /** The same grant was made before. */
  | { readonly kind: "already_exists"; readonly lot: GrantedLot }
  | Refusal<"lot_exists" | "reserved_lot_id" | "no_credits" | "overflow" | "already_ended">;

/** What a grant is judged against, read in one transaction. */
export interface GrantContext {
  readonly account: Account;
  /** The account's lot with the grant's lot id, if there is one. */
  readonly existing: GrantedLot | null;
  readonly now: Instant;
}

/**
 * Adds a lot at the end of the account's line, which also repays debt. A low account is armed again, or
 * published as low again if the grant leaves it at or below its threshold.
 *
 * Due expiries need not be posted first: an expiry and a grant behind it give the same line in either
 * order, and within the grace late usage may still draw on a lot that has ended.
 */
export function decideGrant(request: Grant, context: GrantContext): GrantDecision {
  const { account, existing, now } = context;
  const { timeZone } = account;
  const { lotId } = request;
  if (existing !== null) {
    if (isSameGrant(request, existing, timeZone)) return { kind: "already_exists", lot: existing };
    const { credits, source, reference, expiresAt } = existing;
    return { kind: "lot_exists", lotId, credits, source, reference, expiresAt };
  }
  const { credits, source, reference } = request;
  // A turn or a top-up could not store its own lot under an id that is taken.
  if (isReservedLot(lotId)) return { kind: "reserved_lot_id", lotId };
  if (credits <= 0n) return { kind: "no_credits" };
  const most = mostToGrant(account);
  if (credits > most) return { kind: "overflow", most };
  const expiresAt = endOfLot(request.end, now, timeZone);
  if (expiresAt !== null && expiresAt <= now) return { kind: "already_ended", at: expiresAt };

  const added = addLot(account, { lotId, credits, source, reference, grantedAt: now, expiresAt });
  const nextDueAt = earlier(account.nextDueAt, expiresAt);
  const settleAt = earlier(account.settleAt, expiresAt === null ? null : expiresAt + GRACE_MS);
  const judged = judgeBalance({ ...added.account, nextDueAt, settleAt }, [added.entry]);
  return { kind: "granted", ...judged, lot: added.lot, entry: added.entry };
}

/** A lot before it is placed on the line. */
export type NewLot = Omit<GrantedLot, keyof Stretch>;

/** Adds a lot at the end of the line and posts its grant. The caller has checked `mostToGrant`. */
export function addLot(
  account: Account,
  lot: NewLot,
): { account: Account; lot: GrantedLot; entry: Entry } {
  const { lotId, credits, reference, grantedAt: dueAt } = lot;
  const { line, lot: stretch } = grant(account, credits);
  const posted = postEntry(line, { kind: "grant", credits, lotId, reference, dueAt });
  return { ...posted, lot: { ...stretch, ...lot } };
}

/** Like `addLot`, with as many credits as fit on the line; null: none do. */
export function addLotThatFits(account: Account, lot: NewLot): ReturnType<typeof addLot> | null {
  const most = mostToGrant(account);
  const credits = lot.credits < most ? lot.credits : most;
  return credits === 0n ? null : addLot(account, { ...lot, credits });
}

/** The lot without the terms of its grant. */
export function toLot({ lotId, start, end, expiresAt }: Lot): Lot {
  return { lotId, start, end, expiresAt };
}

/** The most micro-credits that still fit on the account's line. */
export function mostToGrant(account: Account): MicroCredits {
  return MAX_BIGINT - account.granted;
}

/** The life of a repeated grant counts from when the lot was first granted. */
function isSameGrant(request: Grant, lot: GrantedLot, timeZone: string): boolean {
  return (
    request.credits === lot.credits &&
    request.source === lot.source &&
    (request.reference === lot.reference || isErased(lot.reference)) &&
    endOfLot(request.end, lot.grantedAt, timeZone) === lot.expiresAt
  );
}

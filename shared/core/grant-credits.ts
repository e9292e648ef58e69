import type { Account, Entry, Instant, Lot } from "./account.ts";
import { grant, MAX_BIGINT, type MicroCredits } from "./credit-line.ts";
import { hasCrossed, type LowBalance, rearm, sayLowBalance } from "./low-balance.ts";
import { LOT_LIFE_MONTHS, monthsAfter } from "./months.ts";

/** Where a lot's credits come from. */
export const LOT_SOURCES = ["plan", "top_up", "promotion", "adjustment"] as const;

export type LotSource = (typeof LOT_SOURCES)[number];

/** When a lot ends: its usual life after the grant, at an instant, or never. */
export type LotEnd =
  | { readonly kind: "usual" }
  | { readonly kind: "at"; readonly at: Instant }
  | { readonly kind: "never" };

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
  | { readonly kind: "stands_already"; readonly lot: GrantedLot }
  /** The lot id names another grant. */
  | { readonly kind: "conflict"; readonly lot: GrantedLot }
  /** A lot holds more than no credits. */
  | { readonly kind: "no_credits" }
  /** The line would end beyond what 64 bits hold; `most` still fits. */
  | { readonly kind: "overflow"; readonly most: MicroCredits }
  /** The lot would have ended before it began. */
  | { readonly kind: "ended_already"; readonly at: Instant };

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
    const kind = isSameGrant(asked, standing, timeZone) ? "stands_already" : "conflict";
    return { kind, lot: standing };
  }
  if (asked.credits <= 0n) return { kind: "no_credits" };
  const most = MAX_BIGINT - account.granted;
  if (asked.credits > most) return { kind: "overflow", most };
  const expiresAt = expiryOf(asked.end, now, timeZone);
  if (expiresAt !== null && expiresAt <= now) return { kind: "ended_already", at: expiresAt };

  const { line, lot } = grant(account, asked.credits);
  const { lotId, credits, source, reference } = asked;
  const granted: Account = {
    ...line,
    entries: account.entries + 1n,
    nextDueAt: earlier(account.nextDueAt, expiresAt),
  };
  const said = judge(account, granted, now);
  return {
    kind: "granted",
    ...said,
    lot: { ...lot, lotId, credits, source, reference, grantedAt: now, expiresAt },
    entry: {
      accountId: account.accountId,
      sequence: granted.entries,
      kind: "grant",
      credits,
      granted: granted.granted,
      position: granted.position,
      lotId,
      reference,
      dueAt: now,
    },
  };
}

/** A grant takes nothing, so it crosses nothing: only what was low before is said again. */
function judge(
  before: Account,
  granted: Account,
  now: Instant,
): { account: Account; lowBalance: LowBalance | null } {
  if (!before.lowBalance) return { account: granted, lowBalance: null };
  const armed = rearm(granted);
  return hasCrossed(armed)
    ? sayLowBalance(armed, `entry:${armed.entries}`, now)
    : { account: armed, lowBalance: null };
}

/** Asked again later, the usual life still counts from when the lot was granted. */
function isSameGrant(asked: Grant, lot: GrantedLot, timeZone: string): boolean {
  return (
    asked.credits === lot.credits &&
    asked.source === lot.source &&
    asked.reference === lot.reference &&
    expiryOf(asked.end, lot.grantedAt, timeZone) === lot.expiresAt
  );
}

function expiryOf(end: LotEnd, grantedAt: Instant, timeZone: string): Instant | null {
  switch (end.kind) {
    case "usual":
      return monthsAfter(grantedAt, LOT_LIFE_MONTHS, timeZone);
    case "at":
      return end.at;
    case "never":
      return null;
  }
}

function earlier(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/**
 * Late usage: usage that occurred while a lot had credits left, and is metered after the lot's expiry was
 * posted. Later lots would pay for it, and it would be dearer for being late. So an entry that names the
 * event gives back as much of the expiry as the event needs, up to what was left of the lot.
 *
 * The position does not move for it. Position is used plus expired, and what is given back turns from
 * expired into used. The event draws only the rest on the line. From this follows:
 * - Lots, records and entries tile the line as before, and position only moves forward: the event's
 *   stretch is its credits without those given back, and the expiry keeps its own stretch.
 * - Remainders sum to the balance: neither position nor any lot has moved.
 * - Oldest first: the line is walked in order. A lot that has begun to be drawn when it ended lies behind
 *   position and pays first; one that was cut out ahead of it pays after what is left before its place.
 * - Several late events: each entry leaves less of the expiry, and the next one starts from that. The
 *   entries are in the books, so any split into batches gives the same.
 * - Debt: expired lots pay before debt grows. Debt that exists was of other usage and stays.
 * - Credits that were withdrawn never expired, so they are not given back.
 * - A retried dead letter draws on what its time allows, however old it is.
 *
 * If lots end in their order on the line, the books are those of the same usage in time: c more credits
 * used before an expiry of x leave an expiry of x - c, and everything behind it where it is; what exceeds
 * x goes on to the next.
 *
 * An account whose events are not late pays for this with one comparison: `expiredUntil` of its row is
 * the end of the last lot that expired. Source: design, "Roll-over and expiry".
 */

import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import { least, type MicroCredits } from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import { type LateUsageRef, REFERENCE } from "../line/reference.ts";

/** A lot whose expiry was posted. */
export interface ExpiredLot extends Lot {
  readonly expiresAt: Instant;
  /** Credits of the expiry that were not given back; above 0. */
  readonly left: MicroCredits;
}

/** A late event and its price. */
export interface LateUsage extends LateUsageRef {
  readonly occurredAt: Instant;
  readonly credits: MicroCredits;
}

/** True for usage that may get an expiry back. */
export function isLate(
  { expiredUntil }: Pick<Account, "expiredUntil">,
  { occurredAt }: { readonly occurredAt: Instant },
): boolean {
  return expiredUntil !== null && occurredAt < expiredUntil;
}

export interface GivenBack {
  readonly account: Account;
  readonly expired: readonly ExpiredLot[];
  /** One for each lot that pays. */
  readonly entries: readonly Entry[];
  readonly credits: MicroCredits;
}

/**
 * Gives back what a late event needs of the expiries of lots that ended after it occurred. `expired` is
 * in the order of the line (`inLineOrder`).
 */
export function giveBack(
  before: Account,
  expired: readonly ExpiredLot[],
  event: LateUsage,
): GivenBack {
  const { position } = before;
  const entries: Entry[] = [];
  let account = before;
  let credits = 0n;
  const after = expired.flatMap((lot) => {
    if (lot.expiresAt <= event.occurredAt) return [lot];
    const leftBefore = lot.end > position ? lot.end - position : 0n;
    const needed = event.credits - credits - leftBefore;
    if (needed <= 0n) return [lot];
    const given = least(needed, lot.left);
    const posted = postGivenBack(account, lot, given, event);
    account = posted.account;
    entries.push(posted.entry);
    credits += given;
    return given === lot.left ? [] : [{ ...lot, left: lot.left - given }];
  });
  return { account, expired: after, entries, credits };
}

/** It corrects the expiry, so it falls due with it. */
function postGivenBack(
  account: Account,
  { lotId, expiresAt: dueAt }: ExpiredLot,
  credits: MicroCredits,
  event: LateUsageRef,
): ReturnType<typeof postEntry> {
  const reference = REFERENCE.lateUsage.write(event);
  return postEntry(account, { kind: "reversal", credits, lotId, reference, dueAt });
}

/** Adds the lots whose expiries are among `entries`, all lots at their places in `lots`, in line order. */
export function withExpired(
  expired: readonly ExpiredLot[],
  entries: readonly Entry[],
  lots: readonly Lot[],
): readonly ExpiredLot[] {
  const added = entries.flatMap(({ kind, lotId, credits }) => {
    if (kind !== "expiry") return [];
    const lot = lots.find((other) => other.lotId === lotId);
    return lot === undefined || lot.expiresAt === null
      ? []
      : [{ ...lot, expiresAt: lot.expiresAt, left: -credits }];
  });
  if (added.length === 0) return expired;
  return inLineOrder([...expired, ...added].map((lot) => placed(lot, lots)));
}

/** Lots that were cut out have no stretch: of those at one place, the one that ends first comes first. */
export function inLineOrder(expired: readonly ExpiredLot[]): ExpiredLot[] {
  return expired.toSorted(
    (a, b) =>
      compare(a.end, b.end) ||
      compare(a.start, b.start) ||
      compare(a.expiresAt, b.expiresAt) ||
      compare(a.lotId, b.lotId),
  );
}

function compare<T extends bigint | number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function placed(lot: ExpiredLot, lots: readonly Lot[]): ExpiredLot {
  const { start, end } = lots.find(({ lotId }) => lotId === lot.lotId) ?? lot;
  return { ...lot, start, end };
}

import type { Account, Entry, Instant, Lot } from "./account.ts";
import { expire, remainingOf } from "./credit-line.ts";
import { hasCrossed, type LowBalance, sayLowBalance } from "./low-balance.ts";

/** What settling an account posts: the state after it, and all that changed on the way. */
export interface Settlement {
  readonly account: Account;
  /** The account's live lots as they stand now, those that moved or ended included. */
  readonly lots: readonly Lot[];
  readonly entries: readonly Entry[];
  readonly lowBalance: LowBalance | null;
}

/** True when something on the account may have fallen due by `asOf`. */
export function isDue(account: Account, asOf: Instant): boolean {
  return account.nextDueAt !== null && account.nextDueAt <= asOf;
}

/**
 * Posts what has fallen due on an account by `asOf`, in the order in which it fell due: the expiry
 * of every lot whose `expiresAt` has come. Settling is one movement: the balance is judged after
 * all of it. `lots` are the account's lots that end ahead of its position.
 */
export function settle(account: Account, lots: readonly Lot[], asOf: Instant): Settlement {
  let settled = account;
  let standing = [...lots];
  const entries: Entry[] = [];
  for (let lot = nextToExpire(standing, settled); lot !== null; ) {
    if (expiryOf(lot) > asOf) break;
    const { line, expired, moved } = expire(settled, standing, lot);
    settled = { ...line, entries: line.entries + 1n };
    standing = standing.map((old) => moved.find((at) => at.lotId === old.lotId) ?? old);
    entries.push({
      accountId: account.accountId,
      sequence: settled.entries,
      kind: "expiry",
      credits: -expired,
      granted: settled.granted,
      position: settled.position,
      lotId: lot.lotId,
      reference: `expiry:${lot.lotId}`,
      dueAt: expiryOf(lot),
    });
    lot = nextToExpire(standing, settled);
  }
  const next = nextToExpire(standing, settled);
  settled = { ...settled, nextDueAt: next === null ? null : expiryOf(next) };
  const last = entries.at(-1);
  if (last === undefined || !hasCrossed(settled)) {
    return { account: settled, lots: standing, entries, lowBalance: null };
  }
  const said = sayLowBalance(settled, `entry:${last.sequence}`, last.dueAt);
  return { account: said.account, lots: standing, entries, lowBalance: said.lowBalance };
}

/** The lot with something left that expires first; of two that expire together, the older. */
function nextToExpire(lots: readonly Lot[], account: Account): Lot | null {
  let first: Lot | null = null;
  for (const lot of lots) {
    if (lot.expiresAt === null || remainingOf(lot, account.position) === 0n) continue;
    if (
      first === null ||
      expiryOf(lot) < expiryOf(first) ||
      (expiryOf(lot) === expiryOf(first) && lot.start < first.start)
    ) {
      first = lot;
    }
  }
  return first;
}

function expiryOf(lot: Lot): Instant {
  return lot.expiresAt ?? Number.POSITIVE_INFINITY;
}

/**
 * An account's books, in the simplest possible way: lots that each store their remainder, and debt as a
 * separate number. Credits are taken from one lot at a time, the oldest with something left first.
 */
export interface NaiveBooks<L extends NaiveLot = NaiveLot> {
  readonly threshold: bigint;
  /** Oldest first, expired ones included. */
  readonly lots: L[];
  readonly lowBalances: { cause: string; balance: bigint; needed: boolean }[];
  debt: bigint;
  /** The number of entries posted, which is the last one's sequence. */
  entries: bigint;
  saidLow: boolean;
  /** Usage or an add-on took credits while the balance was low, and it has been low ever since. */
  needed: boolean;
  /** How much of the 63 bits that the account can ever draw is used up. */
  travelled: bigint;
}

export interface NaiveLot {
  readonly lotId: string;
  readonly credits: bigint;
  left: bigint;
  readonly expiresAt: number | null;
  /** What its expiry took and late usage has not used since. */
  expired: bigint;
  /** What was withdrawn, or expired while older lots had something left. */
  gone: bigint;
}

export const MOST = 9_223_372_036_854_775_807n;

export function emptyBooks<L extends NaiveLot>(threshold: bigint): NaiveBooks<L> {
  return {
    threshold,
    lots: [],
    lowBalances: [],
    debt: 0n,
    entries: 0n,
    saidLow: false,
    needed: false,
    travelled: 0n,
  };
}

/** Below zero it is debt. */
export function balanceOf(books: NaiveBooks): bigint {
  let left = 0n;
  for (const lot of books.lots) if (lot.left > 0n) left += lot.left;
  return left - books.debt;
}

/** The most that can still be granted. */
export function roomForGrant(books: NaiveBooks): bigint {
  return MOST - books.travelled - balanceOf(books);
}

/** The most that can still be drawn. */
export function roomForDraw(books: NaiveBooks): bigint {
  return MOST - books.travelled;
}

/** Takes credits for usage or an add-on; returns what each lot paid, and what no lot could pay. */
export function take(
  books: NaiveBooks,
  credits: bigint,
): { readonly paid: readonly (readonly [lotId: string, credits: bigint])[]; unpaid: bigint } {
  const paid: [string, bigint][] = [];
  let unpaid = credits;
  for (const lot of books.lots) {
    if (unpaid === 0n) break;
    if (lot.left === 0n) continue;
    const part = lot.left < unpaid ? lot.left : unpaid;
    lot.left -= part;
    unpaid -= part;
    paid.push([lot.lotId, part]);
  }
  books.debt += unpaid;
  books.travelled += credits;
  if (credits > 0n && balanceOf(books) <= books.threshold) books.needed = true;
  return { paid, unpaid };
}

/**
 * Takes credits for usage that occurred at an instant: an expired lot still pays for what occurred before
 * its end, in its turn. Returns also what each lot gave back.
 */
export function takeFor(
  books: NaiveBooks,
  credits: bigint,
  occurredAt: number,
): ReturnType<typeof take> & { readonly gave: readonly (readonly [NaiveLot, bigint])[] } {
  const gave: [NaiveLot, bigint][] = [];
  let onLine = 0n;
  let left = credits;
  for (const lot of inTurn(books.lots)) {
    const live = lot.left < left ? lot.left : left;
    onLine += live;
    left -= live;
    if (lot.expired === 0n || lot.expiresAt === null || lot.expiresAt <= occurredAt) continue;
    const back = lot.expired < left ? lot.expired : left;
    if (back === 0n) continue;
    lot.expired -= back;
    left -= back;
    gave.push([lot, back]);
  }
  const { paid, unpaid } = take(books, onLine + left);
  return {
    paid: [...gave.map(([{ lotId }, back]) => [lotId, back] as const), ...paid],
    unpaid,
    gave,
  };
}

/** Oldest first; neighbours that have nothing on the line any more pay in the order of their ends. */
function inTurn(lots: readonly NaiveLot[]): NaiveLot[] {
  const turns: NaiveLot[] = [];
  let run: NaiveLot[] = [];
  const flush = (): void => {
    run.sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0) || (a.lotId < b.lotId ? -1 : 1));
    turns.push(...run);
    run = [];
  };
  for (const lot of lots) {
    if (lot.gone === lot.credits) {
      run.push(lot);
      continue;
    }
    flush();
    turns.push(lot);
  }
  flush();
  return turns;
}

/** What late usage could use of expired lots; nothing is taken. */
export function backFor(books: NaiveBooks, credits: bigint, occurredAt: number): bigint {
  const copy = { ...books, lots: books.lots.map((lot) => ({ ...lot })) };
  return takeFor(copy, credits, occurredAt).gave.reduce((sum, [, back]) => sum + back, 0n);
}

/** Adds a full lot behind all others; returns how much of it repaid debt. */
export function put<L extends NaiveLot>(books: NaiveBooks<L>, lot: L): bigint {
  const repaid = lot.left < books.debt ? lot.left : books.debt;
  books.debt -= repaid;
  lot.left -= repaid;
  books.lots.push(lot);
  if (balanceOf(books) > books.threshold) books.needed = false;
  return repaid;
}

/** Expires a lot; returns what it still had. */
export function end<L extends NaiveLot>(books: NaiveBooks<L>, lot: L): bigint {
  const had = lot.left;
  const older = books.lots.slice(0, books.lots.indexOf(lot));
  if (older.every((other) => other.left === 0n)) books.travelled += had;
  else lot.gone += had;
  lot.expired = had;
  lot.left = 0n;
  return had;
}

/**
 * Publishes a low balance unless one was published since the last grant; also when credits are needed now
 * and were not when it was published.
 */
export function sayIfLow(books: NaiveBooks, cause: string): void {
  const { needed, saidLow, lowBalances } = books;
  const balance = balanceOf(books);
  if (balance > books.threshold) return;
  if (saidLow && (!needed || lowBalances.at(-1)?.needed === true)) return;
  books.saidLow = true;
  lowBalances.push({ cause, balance, needed });
}

/** After a grant: an account published as low is armed again, and published again when it is still low. */
export function sayAgainIfLow(books: NaiveBooks, cause = `entry:${books.entries}`): void {
  if (!books.saidLow) return;
  books.saidLow = false;
  sayIfLow(books, cause);
}

/**
 * An account's books, kept the naive way: lots that each know what is left of them, and debt as a
 * number of its own. Credits are taken from one lot at a time, the oldest that has something first.
 */
export interface NaiveBooks<L extends NaiveLot = NaiveLot> {
  readonly threshold: bigint;
  /** Oldest first, ended ones included. */
  readonly lots: L[];
  readonly lowBalances: { cause: string; balance: bigint }[];
  debt: bigint;
  /** How many entries were posted; the last one's sequence. */
  entries: bigint;
  saidLow: boolean;
  /** How much of the 63 bits that the account may ever draw is gone. */
  travelled: bigint;
}

export interface NaiveLot {
  readonly lotId: string;
  readonly credits: bigint;
  left: bigint;
  readonly expiresAt: number | null;
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

/** Takes credits; tells which lot paid how much, and what no lot could pay. */
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
  return { paid, unpaid };
}

/** Puts a full lot behind all others; tells how much of it went to the debt at once. */
export function put<L extends NaiveLot>(books: NaiveBooks<L>, lot: L): bigint {
  const repaid = lot.left < books.debt ? lot.left : books.debt;
  books.debt -= repaid;
  lot.left -= repaid;
  books.lots.push(lot);
  return repaid;
}

/** Ends a lot; tells what it still had. */
export function end<L extends NaiveLot>(books: NaiveBooks<L>, lot: L): bigint {
  const had = lot.left;
  const older = books.lots.slice(0, books.lots.indexOf(lot));
  if (older.every((other) => other.left === 0n)) books.travelled += had;
  lot.left = 0n;
  return had;
}

/** Says a low balance unless it was said since the last grant. */
export function sayIfLow(books: NaiveBooks, cause: string): void {
  const balance = balanceOf(books);
  if (books.saidLow || balance > books.threshold) return;
  books.saidLow = true;
  books.lowBalances.push({ cause, balance });
}

/** After a grant: what was said to be low is armed again, and said again when it still is. */
export function sayAgainIfLow(books: NaiveBooks): void {
  if (!books.saidLow) return;
  books.saidLow = false;
  sayIfLow(books, `entry:${books.entries}`);
}

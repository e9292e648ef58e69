import type { Entry, Instant } from "../line/account.ts";
import {
  type CreditLine,
  type MicroCredits,
  type Stretch,
  withdraw,
  withMoved,
} from "../line/credit-line.ts";

/** An entry with the instant and the account version at which it was posted. */
export interface EntryPosted extends Entry {
  readonly version: bigint;
  readonly postedAt: Instant;
}

/** A lot's place on the line. */
export interface PlacedLot extends Stretch {
  readonly lotId: string;
}

/** A credit line with all its lots, oldest first, including used, ended and withdrawn ones. */
export interface LineWithLots extends CreditLine {
  readonly lots: readonly PlacedLot[];
  /** The number of entries so far. */
  readonly entries: number;
}

/** An account's line at an instant. */
export interface LineAt {
  /** As the books had it then. */
  readonly stood: LineWithLots;
  /** As it is known now: with everything due or used until then, even if it was posted later. */
  readonly known: LineWithLots;
}

/** What is read of an account to rebuild its line at an instant. */
export interface LineHistory {
  readonly at: Instant;
  /** All entries of the account, oldest first. */
  readonly entries: readonly EntryPosted[];
  /** The account's version at the instant; 0: it had not moved yet. */
  readonly version: bigint;
  /** The position at that version. */
  readonly position: MicroCredits;
  /** Usage that occurred by then but was metered later. */
  readonly meteredLater: MicroCredits;
  /** Usage that occurred later but was metered by then: a producer's clock was ahead. */
  readonly meteredAhead: MicroCredits;
}

/**
 * Rebuilds an account's line at an instant, as it was then and as it is known now. The two balances
 * differ by late entries and late usage.
 */
export function lineAt(history: LineHistory): LineAt {
  const { at, entries, version, position, meteredLater, meteredAhead } = history;
  const moves = movesOf(entries);
  const before = moves.filter(({ entry }) => entry.version <= version);
  const due = moves.filter(({ entry }) => entry.dueAt <= at);
  const used = position - drawnBy(before) + meteredLater - meteredAhead;
  return {
    stood: { ...lotsAfter(before), position },
    known: { ...lotsAfter(due), position: used + drawnBy(due) },
  };
}

/** What an entry changed: `added` to the end of the line, `drawn` to its position. */
interface Move {
  readonly entry: EntryPosted;
  readonly added: MicroCredits;
  readonly drawn: MicroCredits;
}

/** Between two entries there is only usage, which does not move the end of the line. */
function movesOf(entries: readonly EntryPosted[]): Move[] {
  return entries.map((entry, index) => {
    const added = entry.granted - (entries[index - 1]?.granted ?? 0n);
    return { entry, added, drawn: added - entry.credits };
  });
}

function drawnBy(moves: readonly Move[]): MicroCredits {
  return moves.reduce((sum, { drawn }) => sum + drawn, 0n);
}

/** Applies entries to an empty line: one that adds to its end is a lot, one that shortens it cuts a lot. */
function lotsAfter(moves: readonly Move[]): Omit<LineWithLots, "position"> {
  let granted = 0n;
  let lots: readonly PlacedLot[] = [];
  for (const { entry, added } of moves) {
    if (added > 0n) {
      lots = [...lots, { lotId: lotOf(entry), start: granted, end: granted + added }];
    } else if (added < 0n) {
      lots = withMoved(lots, cut(lots, entry, -added));
    }
    granted += added;
  }
  return { granted, lots, entries: moves.length };
}

function cut(lots: readonly PlacedLot[], entry: Entry, credits: MicroCredits): PlacedLot[] {
  const lotId = lotOf(entry);
  const lot = lots.find((other) => other.lotId === lotId);
  if (lot === undefined)
    throw new Error(`entry ${entry.sequence} cuts lot ${lotId}, which does not exist`);
  return withdraw({ granted: 0n, position: 0n }, lots, lot, credits).moved;
}

function lotOf({ sequence, lotId }: Entry): string {
  if (lotId === null) throw new Error(`entry ${sequence} moves the line's end and names no lot`);
  return lotId;
}

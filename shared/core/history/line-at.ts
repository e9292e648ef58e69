import type { Entry, Instant } from "../line/account.ts";
import {
  type CreditLine,
  type MicroCredits,
  type Stretch,
  withdraw,
  withMoved,
} from "../line/credit-line.ts";

/** An entry with when, and by which movement of its account, it was posted. */
export interface EntryPosted extends Entry {
  readonly version: bigint;
  readonly postedAt: Instant;
}

/** A lot's place on the line. */
export interface PlacedLot extends Stretch {
  readonly lotId: string;
}

/** A credit line with its lots, oldest first; those used up, ended and withdrawn too. */
export interface LineWithLots extends CreditLine {
  readonly lots: readonly PlacedLot[];
  /** How many entries made it. */
  readonly entries: number;
}

/** What an account's line was at an instant, and what is known of it. */
export interface LineAt {
  /** What the books said then: what a reader saw who looked at that instant. */
  readonly stood: LineWithLots;
  /** What the books say of it now: what fell due and was used until then, whenever it came in. */
  readonly known: LineWithLots;
}

/** What is read of an account to rebuild its line at an instant. */
export interface LineHistory {
  readonly at: Instant;
  /** All of the account's, in order. */
  readonly entries: readonly EntryPosted[];
  /** The last movement that the books had at the instant; 0: none. */
  readonly version: bigint;
  /** How far the account had drawn after it. */
  readonly position: MicroCredits;
  /** Usage that occurred by then, and was metered by a later movement. */
  readonly meteredLater: MicroCredits;
  /** Usage that occurred after it, and was metered before: a clock elsewhere was ahead. */
  readonly meteredAhead: MicroCredits;
}

/**
 * Rebuilds an account's line at an instant, both as it stood then and as it is known now. Their
 * balances differ by what came in late: an entry by its credits, usage by what it cost.
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

/** What an entry did to the line: to its end, and to how far it is drawn. */
interface Move {
  readonly entry: EntryPosted;
  readonly added: MicroCredits;
  readonly drawn: MicroCredits;
}

/** Between two entries there is only usage, which leaves the line's end where it is. */
function movesOf(entries: readonly EntryPosted[]): Move[] {
  return entries.map((entry, index) => {
    const added = entry.granted - (entries[index - 1]?.granted ?? 0n);
    return { entry, added, drawn: added - entry.credits };
  });
}

function drawnBy(moves: readonly Move[]): MicroCredits {
  return moves.reduce((sum, { drawn }) => sum + drawn, 0n);
}

/** Plays entries from the empty line on: what adds to its end is a lot, what cuts it is taken out of one. */
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
  const lot = lots.find((one) => one.lotId === lotId);
  if (lot === undefined)
    throw new Error(`entry ${entry.sequence} cuts lot ${lotId}, which is not there`);
  return withdraw({ granted: 0n, position: 0n }, lots, lot, credits).moved;
}

function lotOf({ sequence, lotId }: Entry): string {
  if (lotId === null) throw new Error(`entry ${sequence} moves the line's end and names no lot`);
  return lotId;
}

import type { Account, Entry, Instant, Lot } from "../line/account.ts";
import {
  drawDown,
  expire,
  grant,
  type MicroCredits,
  remainingOf,
  type Stretch,
  withdraw,
  withMoved,
} from "../line/credit-line.ts";
import { postEntry } from "../line/post-entry.ts";
import { type GrantedLot, toLot } from "../month/grant-credits.ts";
import { type AccountInBatch, wasRead } from "../usage/account-in-batch.ts";
import { identityOf, type UsageEvent } from "../usage/usage-event.ts";

/** An entry as the books have it. */
export interface RecordedEntry extends Entry {
  readonly postedAt: Instant;
  /** What a grant put on the line, but for where it lay; null: it is no grant, or the lot is missing. */
  readonly lot: Omit<GrantedLot, keyof Stretch> | null;
}

/** The entries of an account from one on, as far as they were read. */
export interface EntryHistory {
  readonly entries: readonly RecordedEntry[];
  /** Whether no others follow. */
  readonly isWhole: boolean;
}

/** What must be read before all entries can be posted: accounts, and events that drew nothing. */
export interface Shortage {
  readonly ofEntries: Set<string>;
  readonly ofLots: Set<string>;
  readonly ofStarts: Set<UsageEvent>;
}

/** Nothing is known to be missing yet. */
export function noShortage(): Shortage {
  return { ofEntries: new Set(), ofLots: new Set(), ofStarts: new Set() };
}

/** What other books have recorded of a batch's accounts, as far as it was read. */
export interface Recorded {
  readonly histories: ReadonlyMap<string, EntryHistory>;
  /** Where events that drew nothing stood on the line, by `identityOf`; null: they have no record. */
  readonly starts: ReadonlyMap<string, MicroCredits | null>;
  /** What turns out to be missing; where anything is, read it and play the batch again. */
  readonly short: Shortage;
}

/**
 * Posts the recorded entries that come before an event. Entries stand in the order of their sequence,
 * and one that was posted at a position was posted before whatever drew from there. Where an event of
 * no credits stood, only its record tells.
 */
export function postBeforeEvent(
  book: AccountInBatch,
  event: UsageEvent,
  credits: MicroCredits,
  { histories, starts, short }: Recorded,
): void {
  const history = histories.get(book.account.accountId);
  if (history === undefined || history.entries.length === 0) return;
  postRecorded(book, history, short, (next) => {
    if (positionBefore(next, book.account) > book.position) return true;
    if (credits > 0n || next.position <= book.position) return false;
    const start = starts.get(identityOf(event));
    if (start === undefined) short.ofStarts.add(event);
    return start === undefined || (start !== null && next.position > start);
  });
}

/**
 * Posts the recorded entries that come next on the account, up to one that comes later. Each goes
 * through the arithmetic that first posted it; what comes of it is what the account's line says now,
 * not what was recorded.
 */
export function postRecorded(
  book: AccountInBatch,
  history: EntryHistory,
  short: Shortage,
  comesLater: (next: RecordedEntry) => boolean = () => false,
): void {
  const { accountId } = book.account;
  for (;;) {
    const next = recordedAt(history, book.account.entries + 1n);
    if (next === undefined) {
      if (!history.isWhole) short.ofEntries.add(accountId);
      return;
    }
    if (comesLater(next)) return;
    if (next.lotId !== null && next.kind !== "grant" && !wasRead(book)) {
      short.ofLots.add(accountId);
      return;
    }
    post(book, next);
  }
}

/** The recorded entry that is posted again under a sequence, as far as it was read. */
export function recordedAt({ entries }: EntryHistory, sequence: bigint): RecordedEntry | undefined {
  return entries[Number(sequence - (entries[0]?.sequence ?? 0n))];
}

/** Where the account had drawn to when the entry was posted, if its line was then as it is now. */
function positionBefore(
  { kind, lotId, credits, granted, position }: RecordedEntry,
  account: Account,
): MicroCredits {
  if (kind === "grant" || (kind === "adjustment" && lotId !== null)) return position;
  // The end of a lot that lay ahead of the position was cut out of the line.
  if (kind === "expiry" && granted !== account.granted) return position;
  return position + credits;
}

function post(book: AccountInBatch, recorded: RecordedEntry): void {
  const account = { ...book.account, position: book.position };
  const { line, lots, added, credits } = move(account, book.lots, recorded);
  const { kind, lotId, reference, dueAt } = recorded;
  const posted = postEntry(line, { kind, credits, lotId, reference, dueAt });
  book.moved = true;
  book.account = posted.account;
  book.position = posted.account.position;
  book.lots = lots;
  book.entries.push(posted.entry);
  if (added !== null) book.granted = [...book.granted, added];
}

interface Moved {
  readonly line: Account;
  readonly lots: readonly Lot[];
  readonly added: GrantedLot | null;
  /** What it did to the balance. */
  readonly credits: MicroCredits;
}

function move(account: Account, lots: readonly Lot[], recorded: RecordedEntry): Moved {
  const { kind, credits } = recorded;
  if (kind === "grant") return addGranted(account, lots, recorded);
  const stays = { line: account, lots, added: null, credits };
  const lot = lots.find(({ lotId }) => lotId === recorded.lotId);
  if (kind === "expiry") {
    // Of a lot that is used up there is nothing left to expire.
    if (lot === undefined) return { ...stays, credits: 0n };
    const { line, expired, moved } = expire(account, lots, lot);
    return { ...stays, line, lots: withMoved(lots, moved), credits: -expired };
  }
  if (kind === "adjustment" && recorded.lotId !== null) {
    if (lot === undefined || remainingOf(lot, account.position) < -credits) return stays;
    const { line, moved } = withdraw(account, lots, lot, -credits);
    return { ...stays, line, lots: withMoved(lots, moved) };
  }
  return { ...stays, line: drawDown(account, -credits) };
}

/** A lot that the books have lost is put on the line all the same, so that what follows is not wrong too. */
function addGranted(account: Account, lots: readonly Lot[], recorded: RecordedEntry): Moved {
  const { credits, lotId, reference, dueAt } = recorded;
  const details = recorded.lot ?? {
    ...{ lotId: lotId ?? "", credits, source: "adjustment" as const, reference },
    ...{ grantedAt: dueAt, expiresAt: null },
  };
  const { line, lot: stretch } = grant(account, credits);
  const added = { ...details, ...stretch };
  return { line, lots: [...lots, toLot(added)], added, credits };
}

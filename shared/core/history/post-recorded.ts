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
import { REFERENCE } from "../line/reference.ts";
import { type GrantedLot, toLot } from "../month/grant-credits.ts";
import { type AccountInBatch, wasRead } from "../usage/account-in-batch.ts";
import { identityOf, type UsageEvent } from "../usage/usage-event.ts";

/** An entry as the original books have it. */
export interface RecordedEntry extends Entry {
  readonly postedAt: Instant;
  /** The lot of a grant, without its stretch; null: the entry is no grant, or the lot is missing. */
  readonly lot: Omit<GrantedLot, keyof Stretch> | null;
}

/** Consecutive entries of an account, as far as they were read. */
export interface EntryHistory {
  readonly entries: readonly RecordedEntry[];
  /** True if no others follow. */
  readonly isWhole: boolean;
  /** What these entries give back to late events, by reference. */
  readonly givenBack: ReadonlyMap<string, MicroCredits>;
}

/** Consecutive entries as a history. */
export function historyOf(entries: readonly RecordedEntry[], isWhole: boolean): EntryHistory {
  const givenBack = new Map<string, MicroCredits>();
  for (const entry of entries) {
    if (!givesBack(entry)) continue;
    const { reference, credits } = entry;
    givenBack.set(reference, (givenBack.get(reference) ?? 0n) + credits);
  }
  return { entries, isWhole, givenBack };
}

/** What must still be read to post all entries: accounts, and events that drew nothing. */
export interface Shortage {
  readonly ofEntries: Set<string>;
  readonly ofLots: Set<string>;
  readonly ofStarts: Set<UsageEvent>;
}

/** Nothing is missing so far. */
export function noShortage(): Shortage {
  return { ofEntries: new Set(), ofLots: new Set(), ofStarts: new Set() };
}

/** What the original books recorded of a batch's accounts, as far as it was read. */
export interface Recorded {
  readonly histories: ReadonlyMap<string, EntryHistory>;
  /** The positions of events that drew nothing, by `identityOf`; null: no record exists. */
  readonly starts: ReadonlyMap<string, MicroCredits | null>;
  /** Filled with what is missing. If anything is, read it and meter the batch again. */
  readonly short: Shortage;
}

/**
 * Posts the recorded entries that come before an event. Entries are in the order of their sequence, and
 * an entry posted at a position comes before the event that drew from there. The position of an event
 * that draws nothing is known only from its record. Returns what entries give back to the event.
 */
export function postBeforeEvent(
  book: AccountInBatch,
  event: UsageEvent,
  credits: MicroCredits,
  { histories, starts, short }: Recorded,
): MicroCredits {
  const history = histories.get(book.account.accountId);
  if (history === undefined || history.entries.length === 0) return 0n;
  const { givenBack } = history;
  const given = givenBack.size === 0 ? 0n : (givenBack.get(REFERENCE.lateUsage.write(event)) ?? 0n);
  postRecorded(book, history, short, (next) => {
    if (positionBefore(next, book.account) > book.position) return true;
    if (credits > given || next.position <= book.position) return false;
    const start = starts.get(identityOf(event));
    if (start === undefined) short.ofStarts.add(event);
    return start === undefined || (start !== null && next.position > start);
  });
  return given;
}

/** False: events that draw up to `position` have none of the recorded entries before them. */
export function mayPostRecorded(
  account: Account,
  history: EntryHistory | undefined,
  position: MicroCredits,
): boolean {
  if (history === undefined || history.entries.length === 0) return false;
  if (history.givenBack.size > 0) return true;
  const next = recordedAt(history, account.entries + 1n);
  if (next === undefined) return !history.isWhole;
  return positionBefore(next, account) <= position;
}

/**
 * Posts the next recorded entries of the account, until one `comesLater`. Each is computed again on the
 * account's current line, so a wrong record is not copied.
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

/** The recorded entry with a sequence, if it was read. */
export function recordedAt({ entries }: EntryHistory, sequence: bigint): RecordedEntry | undefined {
  return entries[Number(sequence - (entries[0]?.sequence ?? 0n))];
}

/** The position when the entry was posted, if the line was then as it is now. */
function positionBefore(entry: RecordedEntry, account: Account): MicroCredits {
  const { kind, lotId, credits, granted, position } = entry;
  if (givesBack(entry)) return position;
  if (kind === "grant" || (kind === "adjustment" && lotId !== null)) return position;
  // The lot was ahead of the position and was cut out of the line.
  if (kind === "expiry" && granted !== account.granted) return position;
  return position + credits;
}

/** True for an entry that gives expired credits back to a late event; the line stays. */
function givesBack({ kind, credits }: Pick<Entry, "kind" | "credits">): boolean {
  return kind === "reversal" && credits > 0n;
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
  /** The change of the balance. */
  readonly credits: MicroCredits;
}

function move(account: Account, lots: readonly Lot[], recorded: RecordedEntry): Moved {
  const { kind, credits } = recorded;
  if (kind === "grant") return addGranted(account, lots, recorded);
  const stays = { line: account, lots, added: null, credits };
  if (givesBack(recorded)) return stays;
  const lot = lots.find(({ lotId }) => lotId === recorded.lotId);
  if (kind === "expiry") {
    // The lot is used up: nothing is left to expire.
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

/** A lot that the original books have lost is granted too, so that what follows is right. */
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

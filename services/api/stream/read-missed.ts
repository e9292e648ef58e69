import type { AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { listEntries, type PostedEntry } from "../../../shared/ledger/books/list-entries.ts";
import { type RouteParts, readOfAccount } from "../routes/parts.ts";
import type { Told } from "./follow-topics.ts";
import type { Place } from "./place.ts";

const MOST_MISSED = 100;

/** What a stream begins with. */
export interface Missed {
  /** From where on the listener hears what `told` tells. */
  readonly place: Place;
  readonly told: readonly Told[];
  /** There is more than can be told one by one. */
  readonly reload: boolean;
}

/**
 * Where an account stands now, and what a listener has missed since `heard` (null: it is new, and
 * reads lists for itself). The books tell it, so it does not matter which process was listened to.
 */
export function readMissed(
  parts: RouteParts,
  accountId: AccountId,
  heard: Place | null,
): Promise<Missed> {
  return readOfAccount(parts, accountId, async (transaction, { account }) => {
    const { told: topUps } = await readAutoTopUp(transaction, accountId);
    const { version, entries } = account;
    const state = { topic: TOPICS.balances, accountId, sequence: version, record: stateOf() };
    const unheard = { version: version - 1n, entries, topUps };
    if (heard === null) return { place: unheard, told: [state], reload: false };
    const count = entries - heard.entries;
    const isTooMuch = count > MOST_MISSED || count < 0n || heard.topUps !== topUps;
    if (isTooMuch) return { place: unheard, told: [state], reload: true };
    const limit = Number(count);
    const missed =
      limit === 0 ? [] : await listEntries(transaction, accountId, { before: null, limit });
    const place = { ...unheard, entries: heard.entries };
    return { place, told: [...missed.map(posted), state], reload: false };

    function stateOf() {
      const { granted, position } = account;
      return {
        ...{ account_id: accountId, version, granted, position, balance: balanceOf(account) },
        changed_at: parts.now(),
      };
    }
  });
}

function posted(entry: PostedEntry): Told {
  return {
    topic: TOPICS.credits,
    accountId: entry.accountId,
    sequence: entry.sequence,
    record: {
      account_id: entry.accountId,
      sequence: entry.sequence,
      kind: entry.kind,
      credits: entry.credits,
      balance: balanceOf(entry),
      lot_id: entry.lotId,
      reference: entry.reference,
      posted_at: entry.postedAt,
      due_at: entry.dueAt,
    },
  };
}

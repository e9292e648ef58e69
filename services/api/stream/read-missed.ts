import type { AccountId } from "../../../shared/core/line/account.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { listEntries } from "../../../shared/ledger/books/list-entries.ts";
import { balanceChanged, creditsPostedRecord } from "../../../shared/ledger/outbox/records.ts";
import { type RouteContext, readOfAccount } from "../routes/route.ts";
import type { StreamCursor } from "./cursor.ts";
import type { TopicRecord } from "./follow-topics.ts";

const MOST_MISSED = 100;

/** What a stream begins with. */
export interface Missed {
  /** The stream begins after this cursor. */
  readonly cursor: StreamCursor;
  readonly records: readonly TopicRecord[];
  /** There is more than can be sent record by record. */
  readonly reload: boolean;
}

/**
 * An account's state, and the entries a listener has missed since `last` (null: it is new, and loads
 * lists itself). It comes from the books, so a listener may have been connected to another process.
 */
export function readMissed(
  context: RouteContext,
  accountId: AccountId,
  last: StreamCursor | null,
): Promise<Missed> {
  return readOfAccount(context, accountId, async (transaction, { account }) => {
    const { published: topUps } = await readAutoTopUp(transaction, accountId);
    const { version, entries } = account;
    const record = balanceChanged(account, context.now());
    const state = { topic: TOPICS.balances, accountId, sequence: version, record };
    const cursor = { version: version - 1n, entries, topUps };
    if (last === null) return { cursor, records: [state], reload: false };
    const count = entries - last.entries;
    const isTooMuch = count > MOST_MISSED || count < 0n || last.topUps !== topUps;
    if (isTooMuch) return { cursor, records: [state], reload: true };
    const limit = Number(count);
    const missed =
      limit === 0 ? [] : await listEntries(transaction, accountId, { before: null, limit });
    const records = [...missed.map((entry) => creditsPostedRecord(entry, entry.postedAt)), state];
    return { cursor: { ...cursor, entries: last.entries }, records, reload: false };
  });
}

import {
  type EntryHistory,
  historyOf,
  type RecordedEntry,
} from "../../core/history/post-recorded.ts";
import type { Account } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import { type EventIdentity, identityOf, type UsageEvent } from "../../core/usage/usage-event.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { findRecords } from "../usage/find-records.ts";

const START = `
  record.account_id AS "accountId", record.source, record.event_id AS "eventId",
  record.start_position AS start`;

async function readStarts(
  source: Transaction,
  events: readonly UsageEvent[],
): Promise<Map<string, MicroCredits | null>> {
  if (events.length === 0) return new Map();
  type Start = EventIdentity & { readonly start: MicroCredits };
  const rows = await findRecords<Start>(source, START, events);
  const starts = new Map<string, MicroCredits | null>();
  for (const event of events) starts.set(identityOf(event), null);
  for (const row of rows) {
    const known = starts.get(identityOf(row));
    // Of an event's lines, the first one starts it.
    if (known === null || (known !== undefined && row.start < known)) {
      starts.set(identityOf(row), row.start);
    }
  }
  return starts;
}

const READ = `
  SELECT entry.account_id AS "accountId", entry.sequence, entry.kind, entry.credits, entry.granted,
         entry.position, entry.lot_id AS "lotId", entry.reference, entry.due_at AS "dueAt",
         entry.posted_at AS "postedAt", entry.posted_by AS "postedBy", lot.credits AS "lotCredits", lot.source,
         lot.reference AS "lotReference", lot.granted_at AS "grantedAt", lot.expires_at AS "expiresAt"
  FROM unnest($1::text[], $2::bigint[]) AS named (id, posted)
  CROSS JOIN LATERAL (
    SELECT *
    FROM entry
    WHERE account_id = named.id AND sequence > named.posted
    ORDER BY sequence
    LIMIT $3
  ) AS entry
  LEFT JOIN lot
    ON entry.kind = 'grant' AND lot.account_id = entry.account_id AND lot.lot_id = entry.lot_id
  ORDER BY entry.account_id, entry.sequence`;

interface Row
  extends Omit<RecordedEntry, "lot">,
    Pick<GrantedLot, "source" | "grantedAt" | "expiresAt"> {
  /** Null: the entry is not a grant or its lot is missing, and so are the other columns of the lot. */
  readonly lotCredits: MicroCredits | null;
  readonly lotReference: string;
}

/** How many entries of an account are read at first, and the growth when more are needed. */
const FIRST_PAGE = 4;
const GROWTH = 8;
/** The most accounts and entries in memory; beyond that they are read again when needed. */
const MOST_KEPT = 200_000;

const NOTHING_MORE = historyOf([], true);

/** Reads the next recorded entries of accounts in a snapshot of the books, in bounded memory. */
export interface RecordedEntries {
  /** The entries after those that each account has posted; for accounts in `more`, more than before. */
  next(accounts: Iterable<Account>, more?: ReadonlySet<string>): Promise<Map<string, EntryHistory>>;
  /** The start of events on their accounts' lines, by `identityOf`; null: not metered. */
  starts(events: readonly UsageEvent[]): Promise<Map<string, MicroCredits | null>>;
}

/** Reads what the original books recorded, and keeps of it what is asked for again, within bounds. */
export function recordedEntries(source: Transaction): RecordedEntries {
  const kept = new Map<string, EntryHistory>();
  let size = 0;

  return {
    starts: (events) => readStarts(source, events),

    async next(accounts, more = new Set()) {
      const histories = new Map<string, EntryHistory>();
      const unread: Account[] = [];
      let page = FIRST_PAGE;
      for (const account of accounts) {
        const history = after(kept.get(account.accountId), account.entries);
        if (history !== undefined && (history.isWhole || !more.has(account.accountId))) {
          histories.set(account.accountId, history);
          continue;
        }
        unread.push(account);
        page = Math.max(page, GROWTH * (history?.entries.length ?? 0));
      }
      if (unread.length === 0) return histories;
      const read = await readAfter(source, unread, page);
      if (size > MOST_KEPT) {
        kept.clear();
        size = 0;
      }
      for (const [id, history] of read) {
        size += 1 + history.entries.length;
        kept.set(id, history);
        histories.set(id, history);
      }
      return histories;
    },
  };
}

/** Undefined: more must be read. */
function after(history: EntryHistory | undefined, posted: bigint): EntryHistory | undefined {
  const last = history?.entries.at(-1);
  if (history === undefined || last === undefined || last.sequence > posted) return history;
  return history.isWhole ? NOTHING_MORE : undefined;
}

async function readAfter(
  source: Transaction,
  accounts: readonly Account[],
  page: number,
): Promise<Map<string, EntryHistory>> {
  const ids = textArray(accounts.map(({ accountId }) => accountId));
  const posted = bigintArray(accounts.map(({ entries }) => entries));
  const rows = await queryRows<Row>(source, READ, [ids, posted, page], "read-recorded-entries");
  const read = Map.groupBy(rows.map(toEntry), ({ accountId }) => accountId);
  return new Map(
    accounts.map(({ accountId }) => {
      const entries = read.get(accountId);
      if (entries === undefined) return [accountId, NOTHING_MORE];
      return [accountId, historyOf(entries, entries.length < page)];
    }),
  );
}

function toEntry(row: Row): RecordedEntry {
  const {
    lotCredits: credits,
    lotReference: reference,
    source,
    grantedAt,
    expiresAt,
    ...entry
  } = row;
  const { lotId } = entry;
  const isWhole = lotId !== null && credits !== null;
  return {
    ...entry,
    lot: isWhole ? { lotId, credits, source, reference, grantedAt, expiresAt } : null,
  };
}

import type { EntryHistory, RecordedEntry } from "../../core/history/post-recorded.ts";
import type { Account, AccountId, Entry } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { LotSource } from "../../core/month/grant-credits.ts";
import { identityOf, type UsageEvent } from "../../core/usage/usage-event.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";

const STARTS = `
  SELECT account_id, event_id, start_position
  FROM unnest($1::text[], $2::text[]) AS named (event_id, account_id)
  JOIN usage_record USING (event_id, account_id)`;

async function readStarts(
  source: Transaction,
  events: readonly UsageEvent[],
): Promise<Map<string, MicroCredits | null>> {
  if (events.length === 0) return new Map();
  const { rows } = await source.query<[string, string, string]>({
    name: "read-starts",
    text: STARTS,
    values: [
      textArray(events.map(({ eventId }) => eventId)),
      textArray(events.map(({ accountId }) => accountId)),
    ],
    rowMode: "array",
  });
  const starts = new Map<string, MicroCredits | null>();
  for (const event of events) starts.set(identityOf(event), null);
  for (const [accountId, eventId, start] of rows) {
    starts.set(identityOf({ accountId, eventId }), BigInt(start));
  }
  return starts;
}

const READ = `
  SELECT entry.account_id, entry.sequence, entry.kind, entry.credits, entry.granted, entry.position,
         entry.lot_id, entry.reference, (extract(epoch FROM entry.due_at) * 1000)::bigint,
         (extract(epoch FROM entry.posted_at) * 1000)::bigint, lot.credits, lot.source,
         lot.reference, (extract(epoch FROM lot.granted_at) * 1000)::bigint,
         (extract(epoch FROM lot.expires_at) * 1000)::bigint
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

type Row = [
  accountId: AccountId,
  sequence: string,
  kind: Entry["kind"],
  credits: string,
  granted: string,
  position: string,
  lotId: string | null,
  reference: string,
  dueAt: string,
  postedAt: string,
  lotCredits: string | null,
  source: LotSource,
  lotReference: string,
  grantedAt: string,
  expiresAt: string | null,
];

/** So many are read of an account at first; where more is needed at once, several times what was read. */
const FIRST_PAGE = 4;
const GROWTH = 8;
/** As many accounts and entries are kept in memory; beyond it they are read again where they are needed. */
const MOST_KEPT = 200_000;

const NOTHING_MORE: EntryHistory = { entries: [], isWhole: true };

/**
 * The entries of accounts that come next, read from the books as a transaction has them. What is kept
 * of them is bounded, however many accounts and entries there are.
 */
export interface RecordedEntries {
  /** The entries that follow what each account has posted; of accounts named in `more`, more than before. */
  next(accounts: Iterable<Account>, more?: ReadonlySet<string>): Promise<Map<string, EntryHistory>>;
  /** Where events stand on their accounts' lines, by `identityOf`; null: they were not metered. */
  starts(events: readonly UsageEvent[]): Promise<Map<string, MicroCredits | null>>;
}

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

/** Undefined: what was read does not reach so far. */
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
  const { rows } = await source.query<Row>({
    name: "read-recorded-entries",
    text: READ,
    values: [
      textArray(accounts.map(({ accountId }) => accountId)),
      bigintArray(accounts.map(({ entries }) => entries)),
      page,
    ],
    rowMode: "array",
  });
  const read = new Map<string, RecordedEntry[]>();
  for (const row of rows) {
    const entry = toEntry(row);
    const ofAccount = read.get(entry.accountId);
    if (ofAccount === undefined) read.set(entry.accountId, [entry]);
    else ofAccount.push(entry);
  }
  return new Map(
    accounts.map(({ accountId }) => {
      const entries = read.get(accountId);
      if (entries === undefined) return [accountId, NOTHING_MORE];
      return [accountId, { entries, isWhole: entries.length < page }];
    }),
  );
}

function toEntry(row: Row): RecordedEntry {
  const [accountId, sequence, kind, credits, granted, position, lotId, reference] = row;
  return {
    accountId,
    sequence: BigInt(sequence),
    kind,
    credits: BigInt(credits),
    granted: BigInt(granted),
    position: BigInt(position),
    lotId,
    reference,
    dueAt: Number(row[8]),
    postedAt: Number(row[9]),
    lot: toLot(row),
  };
}

function toLot(row: Row): RecordedEntry["lot"] {
  const [lotId, credits, expiresAt] = [row[6], row[10], row[14]];
  if (lotId === null || credits === null) return null;
  return {
    lotId,
    credits: BigInt(credits),
    source: row[11],
    reference: row[12],
    grantedAt: Number(row[13]),
    expiresAt: expiresAt === null ? null : Number(expiresAt),
  };
}

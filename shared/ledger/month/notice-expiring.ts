import type { Account, Instant } from "../../core/line/account.ts";
import { type MicroCredits, remainingOf, type Stretch } from "../../core/line/credit-line.ts";
import { readAccounts } from "../books/read-accounts.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { creditsExpiringRecord, type ExpiringCredits } from "../outbox/records.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import { type Database, inTransaction, queryRows, type Transaction } from "../postgres/database.ts";
import { readSnapshot } from "../postgres/read-snapshot.ts";

/** Which lots to announce. */
export interface NoticeRun {
  readonly now: Instant;
  /** How long from now lots may expire. */
  readonly withinMs: number;
  /** The most lots in one transaction. */
  readonly limit: number;
}

/** A position in the order in which lots expire. */
export type LotPlace = Omit<ExpiringCredits, "credits">;

/** The notices of one transaction. */
export interface Noticed {
  readonly notices: readonly ExpiringCredits[];
  /** Where to continue; null: there are no more. */
  readonly next: LotPlace | null;
}

/**
 * Publishes an expiry notice for each of the next lots after `from` that expire soon with credits left,
 * once for each lot, in one transaction. Lots with nothing left are marked without a notice. Lots of
 * accounts that are locked wait for another run, so any number of these may run concurrently. Account
 * versions stay, so metering need not run again.
 */
export async function noticeExpiring(
  database: Database,
  run: NoticeRun,
  from: LotPlace | null,
): Promise<Noticed> {
  return inTransaction(database, async (transaction) => {
    const found = await findUnnoticed(transaction, run, from);
    const positions = await claimAccounts(transaction, found);
    const claimed = found.filter(({ accountId }) => positions.has(accountId));
    const marked = await markNoticed(transaction, claimed, run.now);
    const notices = worthNotice(marked, positions);
    const sequences = await sequencesOf(transaction, marked);
    await putInOutbox(
      transaction,
      notices.map((notice) => {
        const sequence = sequences.get(keyOf(notice));
        if (sequence === undefined) throw new Error(`lot ${notice.lotId} was not counted`);
        return creditsExpiringRecord(notice, sequence, run.now);
      }),
    );
    return { notices, next: nextAfter(found, run) };
  });
}

/** What `noticeExpiring` would do. */
export async function previewNotices(
  database: Database,
  run: NoticeRun,
  from: LotPlace | null,
): Promise<Noticed> {
  return readSnapshot(database, async (transaction) => {
    const found = await findUnnoticed(transaction, run, from);
    const accounts = await readAccounts(transaction, new Set(found.map((lot) => lot.accountId)));
    const positions = new Map([...accounts].map(([id, { position }]) => [id, position]));
    return { notices: worthNotice(found, positions), next: nextAfter(found, run) };
  });
}

type Expiring = LotPlace & Stretch;

const COLUMNS = `
  lot.account_id AS "accountId", lot.lot_id AS "lotId", lot.expires_at AS "expiresAt",
  lot.start_position AS start, lot.end_position AS "end"`;

const FIND = `
  SELECT ${COLUMNS}
  FROM lot
  WHERE noticed_at IS NULL
    AND expires_at > to_timestamp($1 / 1000.0)
    AND expires_at <= to_timestamp($2 / 1000.0)
    AND (expires_at, account_id, lot_id) > (to_timestamp($3 / 1000.0), $4, $5)
  ORDER BY expires_at, account_id, lot_id
  LIMIT $6`;

async function findUnnoticed(
  transaction: Transaction,
  { now, withinMs, limit }: NoticeRun,
  from: LotPlace | null,
): Promise<Expiring[]> {
  const after = from ?? { expiresAt: now, accountId: "", lotId: "" };
  const values = [now, now + withinMs, after.expiresAt, after.accountId, after.lotId, limit];
  return queryRows<Expiring>(transaction, FIND, values);
}

const CLAIM = `
  SELECT account_id AS "accountId", position
  FROM account
  WHERE account_id = ANY($1::text[])
  ORDER BY account_id
  FOR NO KEY UPDATE SKIP LOCKED`;

/** Locks the accounts that are not locked, and returns their positions. */
async function claimAccounts(
  transaction: Transaction,
  lots: readonly Expiring[],
): Promise<Map<string, MicroCredits>> {
  if (lots.length === 0) return new Map();
  const ids = textArray([...new Set(lots.map(({ accountId }) => accountId))]);
  const rows = await queryRows<Pick<Account, "accountId" | "position">>(transaction, CLAIM, [ids]);
  return new Map(rows.map(({ accountId, position }) => [accountId, position]));
}

const MARK = `
  UPDATE lot
  SET noticed_at = to_timestamp($3 / 1000.0)
  FROM unnest($1::text[], $2::text[]) AS claimed (account_id, lot_id)
  WHERE lot.account_id = claimed.account_id
    AND lot.lot_id = claimed.lot_id
    AND lot.noticed_at IS NULL
  RETURNING ${COLUMNS}`;

/** Marks lots and returns, as they are now, those that were not marked before. */
async function markNoticed(
  transaction: Transaction,
  lots: readonly Expiring[],
  now: Instant,
): Promise<Expiring[]> {
  if (lots.length === 0) return [];
  const values = [...columnsOf(lots, "accountId", "lotId"), now];
  const rows = await queryRows<Expiring>(transaction, MARK, values);
  return rows.sort(byEnd);
}

const COUNT = `
  SELECT account_id AS "accountId", count(*)
  FROM lot
  WHERE account_id = ANY($1::text[]) AND noticed_at IS NOT NULL
  GROUP BY account_id`;

/** Numbers the notices of each account: the count of its marked lots up to each one. */
async function sequencesOf(
  transaction: Transaction,
  marked: readonly Expiring[],
): Promise<Map<string, bigint>> {
  if (marked.length === 0) return new Map();
  const ids = textArray([...new Set(marked.map(({ accountId }) => accountId))]);
  const rows = await queryRows<{ accountId: string; count: bigint }>(transaction, COUNT, [ids]);
  const counts = new Map(rows.map(({ accountId, count }) => [accountId, count]));
  const sequences = new Map<string, bigint>();
  for (const lot of [...marked].reverse()) {
    const count = counts.get(lot.accountId) ?? 0n;
    sequences.set(keyOf(lot), count);
    counts.set(lot.accountId, count - 1n);
  }
  return sequences;
}

function worthNotice(
  lots: readonly Expiring[],
  positions: ReadonlyMap<string, MicroCredits>,
): ExpiringCredits[] {
  return lots.flatMap((lot) => {
    const position = positions.get(lot.accountId);
    if (position === undefined) throw new Error(`account ${lot.accountId} was not read`);
    const { expiresAt, accountId, lotId } = lot;
    const credits = remainingOf(lot, position);
    return credits === 0n ? [] : [{ expiresAt, accountId, lotId, credits }];
  });
}

function nextAfter(found: readonly Expiring[], { limit }: NoticeRun): LotPlace | null {
  return found.length < limit ? null : (found.at(-1) ?? null);
}

function byEnd(a: LotPlace, b: LotPlace): number {
  if (a.expiresAt !== b.expiresAt) return a.expiresAt - b.expiresAt;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function keyOf({ accountId, lotId }: LotPlace): string {
  return `${accountId}\0${lotId}`;
}

import { randomBytes } from "node:crypto";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Queryable, queryRow, type Transaction } from "../postgres/database.ts";

/** What was erased of an account, and who asked for it. */
export interface Erasure {
  readonly accountId: AccountId;
  /** Counts up per account from 1. */
  readonly sequence: number;
  readonly askedBy: string;
  readonly begunAt: Instant;
  /** Null: it is under way, or was broken off and goes on when it is asked for again. */
  readonly finishedAt: Instant | null;
  /** How many rows lost what they held, by table. */
  readonly erased: Readonly<Record<string, number>>;
  /** Dimensions whose values were kept, since prices depend on them. */
  readonly keptDimensions: readonly string[];
}

/** One that is under way, with what it erases by. */
export interface OpenErasure extends Erasure {
  readonly key: Buffer;
}

const COLUMNS = `
  account_id AS "accountId", sequence, asked_by AS "askedBy", begun_at AS "begunAt",
  finished_at AS "finishedAt", erased, kept_dimensions AS "keptDimensions"`;

const OPEN = `
  SELECT ${COLUMNS}, pseudonym_key AS key
  FROM erasure
  WHERE account_id = $1 AND finished_at IS NULL`;

/** The erasure of an account that is under way; null: there is none. */
export function readOpenErasure(
  database: Queryable,
  accountId: AccountId,
): Promise<OpenErasure | null> {
  return queryRow<OpenErasure>(database, OPEN, [accountId]);
}

const LAST = `
  SELECT ${COLUMNS}, account_version AS version
  FROM erasure
  WHERE account_id = $1 AND finished_at IS NOT NULL
  ORDER BY sequence DESC
  LIMIT 1`;

/** An account's last erasure that is finished; `version` is that of the account as it began. Null: there is none. */
export function readLastErasure(
  database: Queryable,
  accountId: AccountId,
): Promise<(Erasure & { readonly version: bigint }) | null> {
  return queryRow(database, LAST, [accountId]);
}

// Dimensions are kept by which any price, also of before, is proved. What is deleted whole is counted here.
const BEGIN = `
  INSERT INTO erasure
    (account_id, sequence, asked_by, begun_at, pseudonym_key, kept_dimensions, account_version, hold_changes,
     erased)
  SELECT $1, (SELECT coalesce(max(sequence), 0) + 1 FROM erasure WHERE account_id = $1), $2,
         to_timestamp($3 / 1000.0), $4,
         ARRAY(
           SELECT unnest(dimensions) FROM rate
           UNION
           SELECT band_of FROM rate_by_dimensions WHERE band_of IS NOT NULL
           UNION
           SELECT unnest(dimensions) FROM own_terms WHERE account_id = $1
           UNION
           SELECT band_of FROM own_rate WHERE account_id = $1 AND band_of IS NOT NULL
           ORDER BY 1
         ),
         version, hold_changes,
         jsonb_strip_nulls(jsonb_build_object(
           'budget', nullif((SELECT count(*) FROM budget WHERE account_id = $1), 0),
           'payment_method', nullif((SELECT count(*) FROM payment_method WHERE account_id = $1), 0)))
  FROM account
  WHERE account_id = $1`;

const KEY_BYTES = 32;

/** Begins an erasure. The account must be locked, and none be under way. */
export async function beginErasure(
  transaction: Transaction,
  {
    accountId,
    by,
    now,
  }: { readonly accountId: AccountId; readonly by: string; readonly now: Instant },
): Promise<void> {
  await transaction.query(BEGIN, [accountId, by, now, randomBytes(KEY_BYTES)]);
}

const SINCE = `
  UPDATE erasure
  SET account_version = account.version, hold_changes = account.hold_changes
  FROM account
  WHERE erasure.account_id = $1 AND finished_at IS NULL AND account.account_id = $1`;

/** Notes the account's version before its rows are looked at: what moves it meanwhile is looked at again. */
export async function noteVersion(database: Queryable, accountId: AccountId): Promise<void> {
  await database.query(SINCE, [accountId]);
}

const COUNT = `
  UPDATE erasure
  SET erased = jsonb_set(erased, ARRAY[$2], to_jsonb(coalesce((erased ->> $2)::bigint, 0) + $3))
  WHERE account_id = $1 AND finished_at IS NULL`;

/** Counts rows that lost what they held, in the transaction that changes them. */
export async function countErased(
  transaction: Transaction,
  accountId: AccountId,
  { table, rows }: { readonly table: string; readonly rows: number },
): Promise<void> {
  if (rows > 0) await transaction.query(COUNT, [accountId, table, rows]);
}

const FINISH = `
  UPDATE erasure
  SET finished_at = to_timestamp($2 / 1000.0), pseudonym_key = NULL
  WHERE account_id = $1 AND finished_at IS NULL`;

// Nothing had come since the last one.
const FORGET = `
  WITH nothing AS (
    DELETE FROM erasure
    WHERE account_id = $1 AND finished_at IS NULL AND erased = '{}' AND sequence > 1
    RETURNING sequence, account_version, hold_changes
  )
  UPDATE erasure
  SET account_version = nothing.account_version, hold_changes = nothing.hold_changes
  FROM nothing
  WHERE erasure.account_id = $1 AND erasure.sequence = nothing.sequence - 1`;

/**
 * Finishes the erasure that is under way and destroys its key. One that found nothing to erase is not kept, unless
 * it is the account's first.
 */
export async function finishErasure(
  transaction: Transaction,
  accountId: AccountId,
  now: Instant,
): Promise<void> {
  await transaction.query(FORGET, [accountId]);
  await transaction.query(FINISH, [accountId, now]);
}

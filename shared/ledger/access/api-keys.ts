import type { Instant } from "../../core/line/account.ts";
import type { Scope } from "../../core/text/scopes.ts";
import { type Database, queryRow, queryRows } from "../postgres/database.ts";

/** A key as it is stored: never its secret. */
export interface ApiKey {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The only accounts that it opens; null: all of them. */
  readonly accountIds: readonly string[] | null;
  readonly createdBy: string;
  readonly createdAt: Instant;
  /** It opens nothing from this instant on; null: it does not expire. */
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
  readonly revokedBy: string | null;
  readonly lastUsedAt: Instant | null;
}

const INSERT = `
  INSERT INTO api_key (key_id, name, secret_hash, scopes, created_by, created_at, expires_at, account_ids)
  VALUES ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0), to_timestamp($7 / 1000.0), $8)`;

/** A key to store. */
export type NewApiKey = Omit<ApiKey, "revokedAt" | "revokedBy" | "lastUsedAt">;

/** Stores a new key with the SHA-256 of its secret. */
export async function insertApiKey(
  database: Database,
  key: NewApiKey,
  secretHash: Buffer,
): Promise<void> {
  const { keyId, name, scopes, createdBy, createdAt, expiresAt, accountIds } = key;
  const values = [keyId, name, secretHash, scopes, createdBy, createdAt, expiresAt, accountIds];
  await database.query(INSERT, values);
}

const COLUMNS = `
  key_id AS "keyId", name, scopes, account_ids AS "accountIds", created_by AS "createdBy",
  created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt",
  revoked_by AS "revokedBy", last_used_at AS "lastUsedAt"`;

const FIND = `SELECT ${COLUMNS}, secret_hash AS "secretHash" FROM api_key WHERE key_id = $1`;

/** A key with the SHA-256 of its secret, revoked or not; null: there is none of this id. */
export async function findApiKey(
  database: Database,
  keyId: string,
): Promise<{ readonly key: ApiKey; readonly secretHash: Buffer } | null> {
  type Row = ApiKey & { readonly secretHash: Buffer };
  const row = await queryRow<Row>(database, FIND, [keyId], "find-api-key");
  if (row === null) return null;
  const { secretHash, ...key } = row;
  return { key, secretHash };
}

const LIST = `SELECT ${COLUMNS} FROM api_key ORDER BY created_at DESC, key_id`;

/** All keys, the newest first. */
export async function listApiKeys(database: Database): Promise<ApiKey[]> {
  return queryRows<ApiKey>(database, LIST);
}

const REVOKE = `
  UPDATE api_key
  SET revoked_by = CASE WHEN revoked_at IS NULL THEN $3 ELSE revoked_by END,
      revoked_at = coalesce(revoked_at, to_timestamp($2 / 1000.0))
  WHERE key_id = $1`;

/** Revokes a key, with the dashboard tokens made with it; false: there is none of this id. */
export async function revokeApiKey(
  database: Database,
  keyId: string,
  { now, by }: { readonly now: Instant; readonly by: string },
): Promise<boolean> {
  const { rowCount } = await database.query(REVOKE, [keyId, now, by]);
  return rowCount === 1;
}

const NOTE = "UPDATE api_key SET last_used_at = to_timestamp($2 / 1000.0) WHERE key_id = $1";

/** Records the last use of a key. */
export async function recordKeyUse(database: Database, keyId: string, now: Instant): Promise<void> {
  await database.query(NOTE, [keyId, now]);
}

const ANY = `
  SELECT EXISTS (
    SELECT FROM api_key
    WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > to_timestamp($1 / 1000.0))
  ) AS found`;

/** True when there is a key that is neither revoked nor expired. */
export async function hasApiKeys(database: Database, now: Instant): Promise<boolean> {
  return (await queryRow<{ found: boolean }>(database, ANY, [now]))?.found === true;
}

const EXPIRING = `
  SELECT ${COLUMNS}
  FROM api_key
  WHERE revoked_at IS NULL
    AND expires_at > to_timestamp($1 / 1000.0) AND expires_at <= to_timestamp($2 / 1000.0)
  ORDER BY expires_at, key_id`;

const NOTICE_MS = 14 * 24 * 60 * 60 * 1000;

/** The keys that expire within 14 days, the next first. */
export async function listExpiringKeys(database: Database, now: Instant): Promise<ApiKey[]> {
  return queryRows<ApiKey>(database, EXPIRING, [now, now + NOTICE_MS]);
}

import type { Instant } from "../../core/line/account.ts";
import { type Database, queryRow, queryRows } from "../postgres/database.ts";

/** What an API key may do; `admin` includes the others. */
export type Scope = "ingest" | "read" | "billing" | "admin";

/** A key as it is stored: never its secret. */
export interface ApiKey {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | null;
  readonly lastUsedAt: Instant | null;
}

const INSERT = `
  INSERT INTO api_key (key_id, name, secret_hash, scopes, created_by, created_at)
  VALUES ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0))`;

/** Stores a new key with the SHA-256 of its secret. */
export async function insertApiKey(
  database: Database,
  key: Pick<ApiKey, "keyId" | "name" | "scopes" | "createdBy" | "createdAt">,
  secretHash: Buffer,
): Promise<void> {
  const { keyId, name, scopes, createdBy, createdAt } = key;
  await database.query(INSERT, [keyId, name, secretHash, scopes, createdBy, createdAt]);
}

const COLUMNS = `
  key_id AS "keyId", name, scopes, created_by AS "createdBy", created_at AS "createdAt",
  revoked_at AS "revokedAt", last_used_at AS "lastUsedAt"`;

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
  SET revoked_at = coalesce(revoked_at, to_timestamp($2 / 1000.0))
  WHERE key_id = $1`;

/** Revokes a key, with the dashboard tokens made with it; false: there is none of this id. */
export async function revokeApiKey(
  database: Database,
  keyId: string,
  now: Instant,
): Promise<boolean> {
  const { rowCount } = await database.query(REVOKE, [keyId, now]);
  return rowCount === 1;
}

const NOTE = "UPDATE api_key SET last_used_at = to_timestamp($2 / 1000.0) WHERE key_id = $1";

/** Records the last use of a key. */
export async function recordKeyUse(database: Database, keyId: string, now: Instant): Promise<void> {
  await database.query(NOTE, [keyId, now]);
}

const ANY = "SELECT EXISTS (SELECT FROM api_key WHERE revoked_at IS NULL) AS found";

/** True when there is a key that is not revoked. */
export async function hasApiKeys(database: Database): Promise<boolean> {
  return (await queryRow<{ found: boolean }>(database, ANY))?.found === true;
}

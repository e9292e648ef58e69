import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Database, type Queryable, queryRow, queryRows } from "../postgres/database.ts";

const INSERT = `
  INSERT INTO dashboard_token (account_id, secret_hash, key_id, expires_at, read_only)
  SELECT account_id, $2, $3, to_timestamp($4 / 1000.0), $5
  FROM account
  WHERE account_id = $1`;

/** Stores a token for one account, by the SHA-256 of its secret. False: there is no such account. */
export async function insertDashboardToken(
  database: Database,
  token: {
    readonly accountId: AccountId;
    readonly secretHash: Buffer;
    readonly keyId: string;
    readonly expiresAt: Instant;
    readonly readOnly: boolean;
  },
): Promise<boolean> {
  const { accountId, secretHash, keyId, expiresAt, readOnly } = token;
  const values = [accountId, secretHash, keyId, expiresAt, readOnly];
  const { rowCount } = await database.query(INSERT, values);
  return rowCount === 1;
}

/** The part of a token's digest by which lists name it. */
const TOKEN_ID = "encode(substring(token.secret_hash FOR 8), 'hex')";

/** When a token ends: with its key at the latest. */
const ENDS_AT = "least(token.expires_at, api_key.expires_at)";

const FIND = `
  SELECT ${ENDS_AT} AS "expiresAt", read_only AS "readOnly"
  FROM dashboard_token AS token
  JOIN api_key USING (key_id)
  WHERE account_id = $1 AND token.secret_hash = $2
    AND token.revoked_at IS NULL AND api_key.revoked_at IS NULL`;

/** A token as it is stored: never its secret. */
export interface StoredToken {
  readonly expiresAt: Instant;
  /** It may read its account and change nothing. */
  readonly readOnly: boolean;
}

/** A token of an account; null: there is none, or it or its key was revoked. */
export async function findDashboardToken(
  database: Database,
  accountId: AccountId,
  secretHash: Buffer,
): Promise<StoredToken | null> {
  const values = [accountId, secretHash];
  return queryRow<StoredToken>(database, FIND, values, "find-dashboard-token");
}

/** A token in the list of its account. */
export interface ListedToken extends StoredToken {
  readonly tokenId: string;
  readonly keyId: string;
}

const LIST = `
  SELECT ${TOKEN_ID} AS "tokenId", key_id AS "keyId", ${ENDS_AT} AS "expiresAt",
         read_only AS "readOnly"
  FROM dashboard_token AS token
  JOIN api_key USING (key_id)
  WHERE account_id = $1 AND token.revoked_at IS NULL AND api_key.revoked_at IS NULL
    AND ${ENDS_AT} > to_timestamp($2 / 1000.0)
  ORDER BY ${ENDS_AT} DESC, token.secret_hash
  LIMIT $3`;

/** The tokens that open an account at `now`, those that end last first. */
export async function listDashboardTokens(
  database: Queryable,
  { accountId, now, limit }: { accountId: AccountId; now: Instant; limit: number },
): Promise<ListedToken[]> {
  return queryRows<ListedToken>(database, LIST, [accountId, now, limit]);
}

const REVOKE = `
  UPDATE dashboard_token AS token
  SET revoked_by = CASE WHEN revoked_at IS NULL THEN $4 ELSE revoked_by END,
      revoked_at = coalesce(revoked_at, to_timestamp($3 / 1000.0))
  WHERE account_id = $1 AND ${TOKEN_ID} = $2`;

/** Revokes one token of an account; false: the account has none of this id. */
export async function revokeDashboardToken(
  database: Database,
  { accountId, tokenId }: { readonly accountId: AccountId; readonly tokenId: string },
  { now, by }: { readonly now: Instant; readonly by: string },
): Promise<boolean> {
  const { rowCount } = await database.query(REVOKE, [accountId, tokenId, now, by]);
  return rowCount !== 0;
}

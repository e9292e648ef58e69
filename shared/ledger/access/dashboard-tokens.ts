import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Database, queryRow } from "../postgres/database.ts";

const INSERT = `
  WITH expired AS (DELETE FROM dashboard_token WHERE expires_at < to_timestamp($4 / 1000.0))
  INSERT INTO dashboard_token (account_id, secret_hash, key_id, expires_at, read_only)
  SELECT account_id, $2, $3, to_timestamp($5 / 1000.0), $6
  FROM account
  WHERE account_id = $1`;

/**
 * Stores a token for one account, by the SHA-256 of its secret, and deletes the expired tokens of all
 * accounts. False: there is no such account.
 */
export async function insertDashboardToken(
  database: Database,
  token: {
    readonly accountId: AccountId;
    readonly secretHash: Buffer;
    readonly keyId: string;
    readonly now: Instant;
    readonly expiresAt: Instant;
    readonly readOnly: boolean;
  },
): Promise<boolean> {
  const { accountId, secretHash, keyId, now, expiresAt, readOnly } = token;
  const values = [accountId, secretHash, keyId, now, expiresAt, readOnly];
  const { rowCount } = await database.query(INSERT, values);
  return rowCount === 1;
}

const FIND = `
  SELECT expires_at AS "expiresAt", read_only AS "readOnly"
  FROM dashboard_token
  JOIN api_key USING (key_id)
  WHERE account_id = $1 AND dashboard_token.secret_hash = $2 AND revoked_at IS NULL`;

/** A token as it is stored: never its secret. */
export interface StoredToken {
  readonly expiresAt: Instant;
  /** It may read its account and change nothing. */
  readonly readOnly: boolean;
}

/** A token of an account; null: there is none, or its key was revoked. */
export async function findDashboardToken(
  database: Database,
  accountId: AccountId,
  secretHash: Buffer,
): Promise<StoredToken | null> {
  const values = [accountId, secretHash];
  return queryRow<StoredToken>(database, FIND, values, "find-dashboard-token");
}

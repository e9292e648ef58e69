import type { AccountId, Instant } from "../../core/line/account.ts";
import { type Database, queryRow } from "../postgres/database.ts";

const INSERT = `
  WITH expired AS (DELETE FROM dashboard_token WHERE expires_at < to_timestamp($4 / 1000.0))
  INSERT INTO dashboard_token (account_id, secret_hash, key_id, expires_at)
  SELECT account_id, $2, $3, to_timestamp($5 / 1000.0)
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
  },
): Promise<boolean> {
  const { accountId, secretHash, keyId, now, expiresAt } = token;
  const { rowCount } = await database.query(INSERT, [accountId, secretHash, keyId, now, expiresAt]);
  return rowCount === 1;
}

const FIND = `
  SELECT expires_at AS "expiresAt"
  FROM dashboard_token
  JOIN api_key USING (key_id)
  WHERE account_id = $1 AND dashboard_token.secret_hash = $2 AND revoked_at IS NULL`;

/** When a token of an account expires; null: there is none, or its key was revoked. */
export async function findDashboardToken(
  database: Database,
  accountId: AccountId,
  secretHash: Buffer,
): Promise<Instant | null> {
  type Row = { readonly expiresAt: Instant };
  const values = [accountId, secretHash];
  const row = await queryRow<Row>(database, FIND, values, "find-dashboard-token");
  return row?.expiresAt ?? null;
}

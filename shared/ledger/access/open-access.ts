import type { Instant } from "../../core/line/account.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import { type Database, queryRows } from "../postgres/database.ts";

/** A key, or a dashboard token by the SHA-256 of its secret. */
export type AccessId =
  | { readonly kind: "key"; readonly keyId: string }
  | { readonly kind: "token"; readonly accountId: string; readonly secretHash: Buffer };

const OPEN = `
  SELECT key_id AS id
  FROM api_key
  WHERE key_id = ANY ($1::text[]) AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > to_timestamp($4 / 1000.0))
  UNION ALL
  SELECT encode(token.secret_hash, 'hex')
  FROM unnest($2::text[], $3::text[]) AS given (account_id, hash)
  JOIN dashboard_token AS token
    ON token.account_id = given.account_id AND token.secret_hash = decode(given.hash, 'hex')
  JOIN api_key USING (key_id)
  WHERE token.revoked_at IS NULL AND api_key.revoked_at IS NULL
    AND least(token.expires_at, api_key.expires_at) > to_timestamp($4 / 1000.0)`;

/** Identifies an access among others. */
export function accessKey(access: AccessId): string {
  return access.kind === "key" ? access.keyId : access.secretHash.toString("hex");
}

/** Those of the given accesses, by `accessKey`, that are neither revoked nor expired. */
export async function readOpenAccess(
  database: Database,
  given: readonly AccessId[],
  now: Instant,
): Promise<ReadonlySet<string>> {
  const keys = given.flatMap((access) => (access.kind === "key" ? access.keyId : []));
  const tokens = given.flatMap((access) =>
    access.kind === "token" ? { accountId: access.accountId, hash: accessKey(access) } : [],
  );
  const values = [textArray(keys), ...columnsOf(tokens, "accountId", "hash"), now];
  const rows = await queryRows<{ id: string }>(database, OPEN, values);
  return new Set(rows.map(({ id }) => id));
}

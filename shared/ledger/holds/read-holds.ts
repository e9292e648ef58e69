import type { Hold } from "../../core/holds/hold.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";

const COLUMNS = `
  hold.account_id AS "accountId", hold.hold_id AS "holdId", encode(request, 'hex') AS request, asked, credits,
  used, captured, status, dimensions, requested_by AS "requestedBy", created_at AS "createdAt", expires_at AS "expiresAt",
  ended_at AS "endedAt"`;

// A lookup for each, by its key, also where the plan was made while the table was empty.
const NAMED = `
  SELECT ${COLUMNS}
  FROM unnest($1::text[], $2::text[]) AS named (account_id, hold_id)
  CROSS JOIN LATERAL (
    SELECT *
    FROM hold
    WHERE hold.account_id = named.account_id AND hold.hold_id = named.hold_id
    LIMIT 1) AS hold`;

const EXPIRED = `
  SELECT ${COLUMNS}
  FROM hold
  WHERE account_id = ANY($1::text[])
    AND ended_at IS NULL
    AND expires_at <= to_timestamp($2 / 1000.0)`;

/** The identity of a hold. */
export type HoldPlace = Pick<Hold, "accountId" | "holdId">;

/** Those of these holds that there are, by account; each is named once. Their accounts must be locked. */
export async function readHolds(
  transaction: Transaction,
  named: readonly { readonly [part in keyof HoldPlace]: string }[],
): Promise<Map<AccountId, Hold[]>> {
  const values = columnsOf(named, "accountId", "holdId");
  const found = await queryRows<Hold>(transaction, NAMED, values, "read-holds");
  return Map.groupBy(found, ({ accountId }) => accountId);
}

/**
 * What decisions on the holds of accounts need, by account: the holds that are named, and those still open whose
 * time is over. Their accounts must be locked.
 */
export async function readHoldsToChange(
  transaction: Transaction,
  accountIds: readonly AccountId[],
  named: readonly HoldPlace[],
  now: Instant,
): Promise<Map<AccountId, Hold[]>> {
  const [expired, asked] = await together([
    queryRows<Hold>(transaction, EXPIRED, [textArray(accountIds), now], "read-expired-holds"),
    named.length === 0
      ? []
      : queryRows<Hold>(transaction, NAMED, columnsOf(named, "accountId", "holdId"), "read-holds"),
  ]);
  const distinct = new Map([...expired, ...asked].map((hold) => [placeText(hold), hold]));
  return Map.groupBy(distinct.values(), ({ accountId }) => accountId);
}

/** Ids may have any character but NUL. */
function placeText({ accountId, holdId }: HoldPlace): string {
  return `${accountId}\0${holdId}`;
}

const ONE = `SELECT ${COLUMNS} FROM hold WHERE account_id = $1 AND hold_id = $2`;

/** A hold that is open, or ended within the last 40 days; null: there is none. */
export async function readHold(
  database: Queryable,
  { accountId, holdId }: HoldPlace,
): Promise<Hold | null> {
  return queryRow<Hold>(database, ONE, [accountId, holdId], "read-hold");
}

const ENDED = `
  SELECT ${COLUMNS}
  FROM hold
  WHERE account_id = $1
    AND ended_at IS NOT NULL
    AND ($2::bigint IS NULL OR (ended_at, hold_id) < (to_timestamp($2 / 1000.0), $3))
  ORDER BY ended_at DESC, hold_id DESC
  LIMIT $4`;

/** An account's ended holds, the last one first, of those before a place in that order; null: from the start. */
export async function listEndedHolds(
  database: Queryable,
  accountId: AccountId,
  range: { readonly before: { at: Instant; holdId: string } | null; readonly limit: number },
): Promise<Hold[]> {
  const { before, limit } = range;
  const values = [accountId, before?.at ?? null, before?.holdId ?? null, limit];
  return queryRows<Hold>(database, ENDED, values, "list-ended-holds");
}

const OPEN = `
  SELECT ${COLUMNS}
  FROM hold
  WHERE account_id = $1
    AND ended_at IS NULL
    AND (expires_at, hold_id) > (to_timestamp($2 / 1000.0), $3)
  ORDER BY expires_at, hold_id
  LIMIT $4`;

/** An account's open holds, the one that ends first first, of those after a place in that order. */
export async function listOpenHolds(
  database: Queryable,
  accountId: AccountId,
  { after, limit }: { readonly after: Pick<Hold, "expiresAt" | "holdId">; readonly limit: number },
): Promise<Hold[]> {
  const values = [accountId, after.expiresAt, after.holdId, limit];
  return queryRows<Hold>(database, OPEN, values, "list-open-holds");
}

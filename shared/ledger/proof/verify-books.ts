import type { AccountId } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { TOP_UP_LOT } from "../../core/line/reference.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { DRAWN } from "../usage/drawn-stretches.ts";

/** Runs a query for one account, or all (null). */
function finder<Row extends object>(query: string) {
  return (transaction: Transaction, accountId: string | null) =>
    queryRows<Row>(transaction, query, [accountId]);
}

/** An account whose position is not the sum of its records and entries. */
export interface MovedPosition {
  readonly accountId: AccountId;
  readonly position: MicroCredits;
  /** How far position is ahead of that sum; below zero: behind it. */
  readonly by: MicroCredits;
  /** The end of the last stretch that was drawn. */
  readonly drawnTo: MicroCredits;
}

const MOVED = `
  WITH summed AS (
    SELECT account_id, sum(drawn_to - drawn_from) AS credits, max(drawn_to)::bigint AS drawn_to
    FROM (${DRAWN}) AS drawn
    GROUP BY account_id
  ), answered AS (
    SELECT account_id, sum(line_by) AS line_by FROM repair WHERE line_by <> 0 GROUP BY account_id
  )
  SELECT account_id AS "accountId", position,
         (position - coalesce(credits, 0) - coalesce(line_by, 0))::bigint AS by,
         coalesce(drawn_to, 0) AS "drawnTo"
  FROM account
  LEFT JOIN summed USING (account_id)
  LEFT JOIN answered USING (account_id)
  WHERE position <> coalesce(credits, 0) + coalesce(line_by, 0) AND ($1::text IS NULL OR account_id = $1)
  ORDER BY account_id`;

/** Accounts whose position is not the sum of their records and entries. */
export const findMovedPositions = finder<MovedPosition>(MOVED);

/** A missing entry of an account. */
export interface MissingEntry {
  readonly accountId: AccountId;
  readonly sequence: bigint;
}

const MISSING_ENTRIES = `
  WITH short AS (
    SELECT account_id, entries
    FROM account LEFT JOIN entry USING (account_id)
    WHERE ($1::text IS NULL OR account_id = $1)
    GROUP BY account_id
    HAVING count(sequence) <> entries
  )
  SELECT account_id AS "accountId", sequence
  FROM short, generate_series(1, entries) AS sequence
  WHERE NOT EXISTS (
    SELECT FROM entry WHERE entry.account_id = short.account_id AND entry.sequence = sequence.sequence
  )
  ORDER BY account_id, sequence`;

/** The sequences from 1 to `account.entries` that have no entry. */
export const findMissingEntries = finder<MissingEntry>(MISSING_ENTRIES);

/** A missing lot that an entry granted. */
export interface MissingLot {
  readonly accountId: AccountId;
  readonly lotId: string;
  readonly sequence: bigint;
  readonly credits: MicroCredits;
}

const MISSING_LOTS = `
  SELECT account_id AS "accountId", lot_id AS "lotId", sequence, entry.credits
  FROM entry LEFT JOIN lot USING (account_id, lot_id)
  WHERE kind = 'grant' AND lot.account_id IS NULL AND ($1::text IS NULL OR account_id = $1)
  ORDER BY account_id, sequence`;

export const findMissingLots = finder<MissingLot>(MISSING_LOTS);

/** A top-up that was paid and never granted. */
export interface UngrantedTopUp {
  readonly accountId: AccountId;
  readonly paymentId: string;
  readonly credits: MicroCredits;
}

const UNGRANTED = `
  SELECT payment.account_id AS "accountId", payment_id AS "paymentId", payment.credits
  FROM payment
  WHERE payment.kind = 'top_up' AND status = 'succeeded' AND ($1::text IS NULL OR account_id = $1)
    AND NOT EXISTS (SELECT FROM lot
                    WHERE lot.account_id = payment.account_id AND lot_id = '${TOP_UP_LOT}' || payment_id)
    AND NOT EXISTS (SELECT FROM entry
                    WHERE entry.account_id = payment.account_id AND entry.kind = 'grant'
                      AND entry.lot_id = '${TOP_UP_LOT}' || payment_id)
  ORDER BY payment.account_id, payment_id`;

export const findUngrantedTopUps = finder<UngrantedTopUp>(UNGRANTED);

import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Stretch } from "../../core/line/credit-line.ts";
import type { DrawnStretch } from "../../core/line/place-in-draw.ts";
import type { Transaction } from "../postgres/database.ts";

/** A draw as it was written. */
export interface WrittenDraw extends DrawnStretch {
  readonly version: bigint;
  readonly drawnAt: Instant;
}

const NAMING = `
  SELECT start_position AS start, end_position AS "end", event_ids AS "eventIds", version,
         drawn_at AS "drawnAt"
  FROM draw
  WHERE account_id = $1 AND event_ids && $2::text[]
  ORDER BY start_position, version`;

/** The draws of an account that name any of these events. */
export async function findDraws(
  transaction: Transaction,
  accountId: string,
  eventIds: readonly string[],
): Promise<WrittenDraw[]> {
  const { rows } = await transaction.query<WrittenDraw>(NAMING, [accountId, eventIds]);
  return rows;
}

const DRAWN_BY_ENTRIES = `
  SELECT entry.position + entry.credits AS start, entry.position AS "end"
  FROM entry LEFT JOIN lot USING (account_id, lot_id)
  WHERE account_id = $1
    AND entry.position > $2 AND entry.position + entry.credits < $3
    AND (kind IN ('add_on_charge', 'reversal')
         OR (kind = 'adjustment' AND lot_id IS NULL)
         OR (kind = 'expiry' AND start_position < end_position))
  ORDER BY entry.position`;

/** What entries drew within a stretch of an account's line, oldest first. */
export async function drawnByEntries(
  transaction: Transaction,
  accountId: AccountId | string,
  { start, end }: Stretch,
): Promise<Stretch[]> {
  const { rows } = await transaction.query<Stretch>(DRAWN_BY_ENTRIES, [accountId, start, end]);
  return rows;
}

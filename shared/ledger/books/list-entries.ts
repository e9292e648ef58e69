import type { EntryPosted } from "../../core/history/line-at.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** An entry as it was posted. */
export interface PostedEntry extends EntryPosted {
  /** Who requested it; null: nobody, it fell due or follows from a payment. */
  readonly postedBy: string | null;
  /** The usage since the entry before it, so that the balances add up. */
  readonly usedBefore: MicroCredits;
}

const LIST = `
  SELECT entry.account_id AS "accountId", entry.sequence, entry.kind, entry.credits, entry.granted,
         entry.position, entry.version, entry.lot_id AS "lotId", entry.reference,
         entry.due_at AS "dueAt", entry.posted_at AS "postedAt", entry.posted_by AS "postedBy",
         coalesce(before.granted - before.position, 0) + entry.credits
           - (entry.granted - entry.position) AS "usedBefore"
  FROM entry
  LEFT JOIN entry AS before
    ON before.account_id = entry.account_id AND before.sequence = entry.sequence - 1
  WHERE entry.account_id = $1
    AND ($2::bigint IS NULL OR entry.sequence < $2)
    AND ($4::bigint IS NULL OR entry.posted_at >= to_timestamp($4 / 1000.0))
    AND ($5::bigint IS NULL OR entry.posted_at < to_timestamp($5 / 1000.0))
  ORDER BY entry.sequence DESC
  LIMIT $3`;

interface EntryRange {
  readonly before: bigint | null;
  readonly limit: number | null;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
}

/**
 * The last `limit` entries (null: all) before the sequence `before` (null: of all), oldest first; only
 * those posted in [from, to), where these are given.
 */
export async function listEntries(
  transaction: Transaction,
  accountId: AccountId,
  { before, limit, from, to }: EntryRange,
): Promise<PostedEntry[]> {
  const values = [accountId, before, limit, from ?? null, to ?? null];
  const rows = await queryRows<PostedEntry>(transaction, LIST, values);
  return rows.reverse();
}

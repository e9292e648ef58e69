import type { EntryPosted } from "../../core/history/line-at.ts";
import type { AccountId, Entry } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Transaction } from "../postgres/database.ts";

/** An entry as it was posted. */
export interface PostedEntry extends EntryPosted {
  /** The usage between the entry before it and this one: so the balances add up. */
  readonly usedBefore: MicroCredits;
}

const LIST = `
  SELECT entry.sequence, entry.kind, entry.credits, entry.granted, entry.position, entry.lot_id,
         entry.reference, (extract(epoch FROM entry.due_at) * 1000)::bigint,
         (extract(epoch FROM entry.posted_at) * 1000)::bigint,
         coalesce(before.granted - before.position, 0) + entry.credits
           - (entry.granted - entry.position),
         entry.version
  FROM entry
  LEFT JOIN entry AS before
    ON before.account_id = entry.account_id AND before.sequence = entry.sequence - 1
  WHERE entry.account_id = $1
    AND ($2::bigint IS NULL OR entry.sequence < $2)
  ORDER BY entry.sequence DESC
  LIMIT $3`;

type Row = [
  sequence: string,
  kind: Entry["kind"],
  credits: string,
  granted: string,
  position: string,
  lotId: string | null,
  reference: string,
  dueAt: string,
  postedAt: string,
  usedBefore: string,
  version: string,
];

/**
 * The last `limit` entries of an account, oldest first; `before`: of those posted before the entry of
 * this sequence (null: of all). No `limit`: all of them.
 */
export async function listEntries(
  transaction: Transaction,
  accountId: AccountId,
  page: { readonly before: bigint | null; readonly limit: number | null },
): Promise<PostedEntry[]> {
  const { rows } = await transaction.query<Row>({
    text: LIST,
    values: [accountId, page.before, page.limit],
    rowMode: "array",
  });
  return rows
    .map((row) => ({
      accountId,
      sequence: BigInt(row[0]),
      kind: row[1],
      credits: BigInt(row[2]),
      granted: BigInt(row[3]),
      position: BigInt(row[4]),
      lotId: row[5],
      reference: row[6],
      dueAt: Number(row[7]),
      postedAt: Number(row[8]),
      usedBefore: BigInt(row[9]),
      version: BigInt(row[10]),
    }))
    .reverse();
}

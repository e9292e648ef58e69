import type { AccountId } from "../../core/line/account.ts";
import type { GrantedLot } from "../../core/month/grant-credits.ts";
import { textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** A lot, and who requested it; null: Drawdown itself, or a version that did not record it. */
export interface AttributedLot extends GrantedLot {
  readonly grantedBy: string | null;
}

// A lot's first entry is its grant.
const GRANTS = `
  SELECT DISTINCT ON (lot_id) lot_id AS "lotId", posted_by AS "postedBy"
  FROM entry
  WHERE account_id = $1 AND lot_id = ANY($2::text[])
  ORDER BY lot_id, sequence`;

/** The same lots with who requested them. */
export async function withGrantedBy(
  transaction: Transaction,
  accountId: AccountId,
  lots: readonly GrantedLot[],
): Promise<AttributedLot[]> {
  type Row = { readonly lotId: string; readonly postedBy: string | null };
  const ids = textArray(lots.map(({ lotId }) => lotId));
  const grants = await queryRows<Row>(transaction, GRANTS, [accountId, ids]);
  const posters = new Map(grants.map(({ lotId, postedBy }) => [lotId, postedBy]));
  return lots.map((lot) => ({ ...lot, grantedBy: posters.get(lot.lotId) ?? null }));
}

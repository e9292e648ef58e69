import type { AccountId, Lot } from "../../core/line/account.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";

const MOVE = `
  UPDATE lot
  SET start_position = moved.start_position, end_position = moved.end_position
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    AS moved (account_id, lot_id, start_position, end_position)
  WHERE lot.account_id = moved.account_id AND lot.lot_id = moved.lot_id`;

/** Writes the stretches of lots after a withdrawal: of the lot itself, and of those behind it that moved up. */
export async function moveLots(
  transaction: Transaction,
  moved: readonly { accountId: AccountId; lot: Lot }[],
): Promise<void> {
  if (moved.length === 0) return;
  const lots = moved.map(({ accountId, lot }) => ({ accountId, ...lot }));
  await transaction.query(MOVE, columnsOf(lots, "accountId", "lotId", "start", "end"));
}

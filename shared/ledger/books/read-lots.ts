import type { Lot } from "../../core/line/account.ts";
import { textArray } from "../postgres/array-literal.ts";
import type { Database, Transaction } from "../postgres/database.ts";

const READ_LIVE = `
  SELECT lot.account_id, lot.lot_id, lot.start_position, lot.end_position,
         (extract(epoch FROM lot.expires_at) * 1000)::bigint
  FROM account
  JOIN lot ON lot.account_id = account.account_id AND lot.end_position > account.position
  WHERE account.account_id = ANY($1::text[])
  ORDER BY lot.account_id, lot.start_position`;

/** The lots of these accounts that end ahead of its position, oldest first, by account; withdrawn ones too. */
export async function readLiveLots(
  transaction: Transaction | Database,
  accountIds: readonly string[],
): Promise<Map<string, Lot[]>> {
  const lots = new Map<string, Lot[]>();
  if (accountIds.length === 0) return lots;
  const { rows } = await transaction.query<[string, string, string, string, string | null]>({
    name: "read-live-lots",
    text: READ_LIVE,
    values: [textArray(accountIds)],
    rowMode: "array",
  });
  for (const [accountId, lotId, start, end, expiresAt] of rows) {
    const lot = {
      lotId,
      start: BigInt(start),
      end: BigInt(end),
      expiresAt: expiresAt === null ? null : Number(expiresAt),
    };
    const ofAccount = lots.get(accountId);
    if (ofAccount === undefined) lots.set(accountId, [lot]);
    else ofAccount.push(lot);
  }
  return lots;
}

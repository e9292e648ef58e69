import type { Account, Instant, Lot } from "../../core/line/account.ts";
import { isDue } from "../../core/month/account-book.ts";
import { textArray } from "../postgres/array-literal.ts";
import { type Queryable, queryRows } from "../postgres/database.ts";

const READ_LIVE = `
  SELECT lot.account_id AS "accountId", lot.lot_id AS "lotId", lot.start_position AS start,
         lot.end_position AS "end", lot.expires_at AS "expiresAt"
  FROM account
  JOIN lot ON lot.account_id = account.account_id AND lot.end_position > account.position
  WHERE account.account_id = ANY($1::text[])
  ORDER BY lot.account_id, lot.start_position`;

/** The lots of these accounts that end ahead of its position, oldest first, by account; withdrawn ones too. */
export async function readLiveLots(
  transaction: Queryable,
  accountIds: readonly string[],
): Promise<Map<string, Lot[]>> {
  const lots = new Map<string, Lot[]>();
  if (accountIds.length === 0) return lots;
  type Row = Lot & { accountId: string };
  const values = [textArray(accountIds)];
  const rows = await queryRows<Row>(transaction, READ_LIVE, values, "read-live-lots");
  for (const { accountId, ...lot } of rows) {
    const ofAccount = lots.get(accountId);
    if (ofAccount === undefined) lots.set(accountId, [lot]);
    else ofAccount.push(lot);
  }
  return lots;
}

/**
 * The lots with credits left of those accounts on which something is due at an instant. No lot of any
 * other account has ended, so there is nothing to leave out of its balance.
 */
export async function readLotsOfDue(
  transaction: Queryable,
  accounts: Iterable<Pick<Account, "accountId" | "nextDueAt">>,
  at: Instant,
): Promise<Map<string, Lot[]>> {
  const due = [...accounts].filter((account) => isDue(account, at));
  return readLiveLots(
    transaction,
    due.map(({ accountId }) => accountId),
  );
}

/** The same of one account. */
export async function readLotsIfDue(
  transaction: Queryable,
  account: Account,
  at: Instant,
): Promise<readonly Lot[]> {
  return (await readLotsOfDue(transaction, [account], at)).get(account.accountId) ?? [];
}

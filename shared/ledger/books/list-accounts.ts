import type { Account } from "../../core/line/account.ts";
import { type Database, queryRows } from "../postgres/database.ts";
import { ACCOUNT_COLUMNS } from "./read-accounts.ts";

const LIST = `
  SELECT ${ACCOUNT_COLUMNS}
  FROM account
  WHERE account_id > $1
  ORDER BY account_id
  LIMIT $2`;

/** Up to `limit` accounts in the order of their ids, of those after `after` (empty: from the first). */
export async function listAccounts(
  database: Database,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<Account[]> {
  return queryRows<Account>(database, LIST, [after, limit]);
}

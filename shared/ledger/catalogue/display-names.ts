import type { AccountId } from "../../core/line/account.ts";
import type { DisplayName, NameChange } from "../../core/offer/display-name.ts";
import { type Queryable, queryRows, type Transaction } from "../postgres/database.ts";

const COLUMNS = `
  what, id, name,
  CASE WHEN unit_one IS NOT NULL
    THEN jsonb_build_object('one', unit_one, 'many', unit_many) END AS unit`;

const READ = `
  SELECT ${COLUMNS}, set_by AS "setBy"
  FROM display_name
  ORDER BY what, id`;

/** All names, and the units of meters. */
export async function readDisplayNames(database: Queryable): Promise<DisplayName[]> {
  return queryRows<DisplayName>(database, READ, [], "read-display-names");
}

const READ_FOR_ACCOUNT = `
  SELECT ${COLUMNS}
  FROM display_name
  WHERE what <> 'plan'
    OR id IN (SELECT reference FROM lot WHERE account_id = $1 AND source = 'plan')
    OR id IN (SELECT unnest(ARRAY[plan_id, next_plan_id]) FROM schedule WHERE account_id = $1)
  ORDER BY what, id`;

/** The names that an account needs: of plans those that it has or had, of everything else all. */
export async function readNamesForAccount(
  transaction: Transaction,
  accountId: AccountId,
): Promise<DisplayName[]> {
  return queryRows<DisplayName>(transaction, READ_FOR_ACCOUNT, [accountId], "read-account-names");
}

const WRITE = `
  INSERT INTO display_name (what, id, name, unit_one, unit_many, set_by)
  SELECT what, id, name, unit_one, unit_many, $2
  FROM jsonb_populate_recordset(NULL::display_name, $1)
  ON CONFLICT (what, id) DO UPDATE
  SET name = excluded.name, unit_one = excluded.unit_one, unit_many = excluded.unit_many,
      set_by = excluded.set_by`;

/** Writes the names that changed; `by`: who requested it. The caller holds the lock under which they were decided. */
export async function writeDisplayNames(
  transaction: Transaction,
  changes: readonly NameChange[],
  by: string | null,
): Promise<void> {
  const rows = changes
    .filter(({ kind }) => kind === "named")
    .map(({ what, id, name, unit }) => ({
      ...{ what, id, name },
      ...{ unit_one: unit?.one, unit_many: unit?.many },
    }));
  if (rows.length > 0) await transaction.query(WRITE, [JSON.stringify(rows), by]);
}

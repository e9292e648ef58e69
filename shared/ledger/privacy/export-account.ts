import type { AccountId, Instant } from "../../core/line/account.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { allowWholeTables } from "../postgres/read-snapshot.ts";
import { ACCOUNT_TABLES, type AccountTable } from "./account-tables.ts";

/** How many rows are in memory at a time. */
const ROWS_AT_ONCE = 1_000;

/** Tables whose rows are exported, in their order. */
export const EXPORTED_TABLES = ACCOUNT_TABLES.filter(
  ({ notExported }) => notExported === undefined,
);

/** Some lines of an export, and how many rows of the account they have. */
export interface ExportPart {
  readonly table: string;
  readonly text: string;
  readonly rows: number;
}

/**
 * Everything held about an account, in JSON lines: one that says of which account and when it was read, a line for
 * each row, and one that counts them, without which the export is not whole. Read it in one snapshot; memory does
 * not grow with the account.
 */
export async function* exportAccount(
  transaction: Transaction,
  accountId: AccountId,
  now: Instant,
): AsyncGenerator<ExportPart> {
  await allowWholeTables(transaction);
  const begin = { account_id: accountId, exported_at: new Date(now).toISOString() };
  yield { table: "", text: lineOf({ export: begin }), rows: 0 };
  let rows = 0;
  for (const table of EXPORTED_TABLES) {
    for await (const part of rowsOf(transaction, table, accountId)) {
      rows += part.rows;
      yield part;
    }
  }
  yield { table: "", text: lineOf({ end: { tables: EXPORTED_TABLES.length, rows } }), rows: 0 };
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

// 64 bits and decimals are text, as everywhere in JSON: a number of JavaScript does not hold them.
const COLUMNS = `
  SELECT attname AS name, atttypid IN ('int8'::regtype, 'numeric'::regtype) AS "isAmount"
  FROM pg_attribute
  WHERE attrelid = to_regclass('public.' || $1) AND attnum > 0 AND NOT attisdropped
  ORDER BY attnum`;

async function* rowsOf(
  transaction: Transaction,
  { table, secrets = "", rows: which = "account_id = $1", order }: AccountTable,
  accountId: AccountId,
): AsyncGenerator<ExportPart> {
  type Column = { readonly name: string; readonly isAmount: boolean };
  const columns = await queryRows<Column>(transaction, COLUMNS, [table]);
  const shown = columns
    .filter(({ name }) => !secrets.split(" ").includes(name))
    .map(({ name, isAmount }) => `"${name}"${isAmount ? "::text" : ""}`);
  const query = `
    SELECT json_build_object('table', '${table}', 'row', to_jsonb(exported))::text AS line
    FROM (
      SELECT ${shown.join(", ")} FROM ${table} WHERE ${which}
      ${order === undefined ? "" : `ORDER BY ${order.replaceAll(/\w+/g, `${table}.$&`)}`}
    ) AS exported`;
  await transaction.query(`DECLARE exported NO SCROLL CURSOR FOR ${query}`, [accountId]);
  for (;;) {
    const fetch = `FETCH ${ROWS_AT_ONCE} FROM exported`;
    const lines = await queryRows<{ readonly line: string }>(transaction, fetch);
    if (lines.length === 0) break;
    const text = lines.map(({ line }) => `${line}\n`).join("");
    yield { table, text, rows: lines.length };
    if (lines.length < ROWS_AT_ONCE) break;
  }
  await transaction.query("CLOSE exported");
}

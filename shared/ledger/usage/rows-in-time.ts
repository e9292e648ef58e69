import { queryRows, sqlState, type Transaction } from "../postgres/database.ts";
import { UsageRefused } from "./usage-refused.ts";

const LONGEST = "SET LOCAL statement_timeout = 10000";
/** So that reading in the order of an index ends with the last row that is asked for. */
const IN_ORDER = "SET LOCAL enable_bitmapscan = off";
const TIMED_OUT = "57014";

/** The rows of a query, which may take only ten seconds. Throws UsageRefused. */
export async function rowsInTime<Row extends object>(
  transaction: Transaction,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    await transaction.query(`${LONGEST}; ${IN_ORDER}`);
    return await queryRows<Row>(transaction, text, values);
  } catch (error) {
    if (sqlState(error) !== TIMED_OUT) throw error;
    throw new UsageRefused({ kind: "range_too_large" }, { cause: error });
  }
}

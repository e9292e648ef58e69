import { queryRows, sqlState, type Transaction } from "../postgres/database.ts";

const LONGEST = "SET LOCAL statement_timeout = 10000";
/** So that reading in the order of an index ends with the last row that is asked for. */
const IN_ORDER = "SET LOCAL enable_bitmapscan = off";
const TIMED_OUT = "57014";

/** The request would take longer than ten seconds. */
export class TooMuchUsage extends Error {}

/** The rows of a query, which may take only so long. Throws TooMuchUsage. */
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
    throw new TooMuchUsage("reading the usage took longer than ten seconds", { cause: error });
  }
}

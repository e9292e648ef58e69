import { type Database, queryRow } from "../postgres/database.ts";
import { type DuePayments, IS_DUE } from "./claim.ts";

const FIRST = `
  SELECT concat_ws(' ', account_id, payment_id, next_try_at) AS payment
  FROM payment
  WHERE ${IS_DUE}
  ORDER BY next_try_at, account_id, payment_id
  LIMIT 1`;

/** The payment whose turn at the gateway came first, in words; whoever charges takes it at once. Null: none is due. */
export async function firstDuePayment(
  database: Database,
  { now, gateway, comparedOn = null }: DuePayments,
): Promise<string | null> {
  const values = [now, gateway, comparedOn];
  return (await queryRow<{ payment: string }>(database, FIRST, values))?.payment ?? null;
}

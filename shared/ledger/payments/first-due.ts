import type { Instant } from "../../core/line/account.ts";
import { type Database, queryRow } from "../postgres/database.ts";

const FIRST = `
  SELECT concat_ws(' ', account_id, payment_id, next_try_at) AS payment
  FROM payment
  WHERE next_try_at <= to_timestamp($1 / 1000.0)
    AND (gateway IS NULL OR gateway = $2)
  ORDER BY next_try_at, account_id, payment_id
  LIMIT 1`;

/** The payment whose turn at the gateway came first, in words; whoever charges takes it at once. Null: none is due. */
export async function firstDuePayment(
  database: Database,
  { now, gateway }: { readonly now: Instant; readonly gateway: string },
): Promise<string | null> {
  return (await queryRow<{ payment: string }>(database, FIRST, [now, gateway]))?.payment ?? null;
}

import type { Instant } from "../../core/line/account.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import { type Database, queryRows } from "../postgres/database.ts";

const COUNT = `
  SELECT status, count(*)::integer
  FROM payment
  WHERE kind = 'top_up' AND (status = 'pending' OR created_at >= to_timestamp($1 / 1000.0))
  GROUP BY status
  ORDER BY status`;

/** Counts top-ups by status: those that are pending, and those made since an instant. */
export async function countTopUps(
  database: Database,
  since: Instant,
): Promise<{ readonly status: PaymentStatus; readonly count: number }[]> {
  return queryRows<{ status: PaymentStatus; count: number }>(database, COUNT, [since]);
}

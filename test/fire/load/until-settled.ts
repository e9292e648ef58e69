import type pg from "pg";
import { again } from "../again.ts";

/** Waits until nothing is due on any account at an instant, in milliseconds, and every fee is settled. */
export async function untilSettled(database: pg.Pool, now: number): Promise<void> {
  await again(async () => {
    const { rows } = await database.query<{ left: number }>(
      `SELECT (SELECT count(*) FROM account WHERE next_due_at <= to_timestamp($1 / 1000.0))::integer
            + (SELECT count(*) FROM payment WHERE status = 'pending')::integer AS left`,
      [now],
    );
    const left = rows[0]?.left ?? 0;
    if (left > 0) throw new Error(`what is due on ${left} accounts is not posted`);
  });
}

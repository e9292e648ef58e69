import type { Instant } from "../../core/line/account.ts";
import { type Queryable, sqlState, tableOf } from "../postgres/database.ts";

const CHECK_VIOLATION = "23514";

/** True for the error of a page whose month has no partition yet. */
export function lacksMonth(error: unknown): boolean {
  return sqlState(error) === CHECK_VIOLATION && tableOf(error) === "usage_page";
}

/** Adds the partition for the usage that is metered in the month of an instant, unless it exists. */
export async function addMonth(database: Queryable, at: Instant): Promise<void> {
  await database.query("SELECT add_usage_month(to_timestamp($1 / 1000.0))", [at]);
}

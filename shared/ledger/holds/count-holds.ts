import type { Instant } from "../../core/line/account.ts";
import { type Database, queryRow } from "../postgres/database.ts";

const COUNT = `
  SELECT count(*)::integer, min(expires_at) AS "endsFirst"
  FROM (
    SELECT expires_at FROM hold WHERE ended_at IS NULL ORDER BY expires_at LIMIT $1
  ) AS open`;

/** Holds that set credits aside. */
export interface OpenHolds {
  readonly count: number;
  /** When the time of the first is over; null: there is none. */
  readonly endsFirst: Instant | null;
}

/** Counts open holds, up to `atMost`. */
export async function countHolds(database: Database, atMost: number): Promise<OpenHolds> {
  return (await queryRow<OpenHolds>(database, COUNT, [atMost])) ?? { count: 0, endsFirst: null };
}

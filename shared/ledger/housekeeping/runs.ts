import type { Instant } from "../../core/line/account.ts";
import { type Database, queryRows } from "../postgres/database.ts";

/** What the last housekeeping did to a table. */
export interface HousekeepingRun {
  readonly table: string;
  /** How long its rows are kept: `forever`, `90 days`, `13 months`. */
  readonly keptFor: string;
  readonly ranAt: Instant;
  /** Rows deleted; events, of usage. */
  readonly deleted: bigint;
  /** False: the run ended before all that was due was deleted; the next one continues. */
  readonly finished: boolean;
}

const RECORD = `
  INSERT INTO housekeeping (table_name, kept_for, ran_at, deleted, finished)
  VALUES ($1, $2, to_timestamp($3 / 1000.0), $4, $5)
  ON CONFLICT (table_name) DO UPDATE
  SET kept_for = excluded.kept_for,
      ran_at = excluded.ran_at,
      deleted = excluded.deleted,
      finished = excluded.finished`;

/** Records the last run of a table. */
export async function recordHousekeeping(
  database: Database,
  { table, keptFor, ranAt, deleted, finished }: HousekeepingRun,
): Promise<void> {
  await database.query(RECORD, [table, keptFor, ranAt, deleted, finished]);
}

const LIST = `
  SELECT table_name AS table, kept_for AS "keptFor", ran_at AS "ranAt", deleted, finished
  FROM housekeeping
  ORDER BY table_name`;

/** The last run of each table; none before the first one. */
export async function listHousekeeping(database: Database): Promise<HousekeepingRun[]> {
  return queryRows<HousekeepingRun>(database, LIST);
}

import { type Database, queryRow } from "../postgres/database.ts";

/** What is next to be published: a publisher that works takes it at once. */
export interface FirstWaiting {
  /** A record of the outbox, in words. Null: none waits. */
  readonly record: string | null;
  /** A balance's change. */
  readonly balance: string | null;
}

const FIRST = `
  SELECT (SELECT concat_ws(' ', topic, account_id, sequence) FROM outbox
          WHERE refused IS NULL ORDER BY account_id, topic, sequence LIMIT 1) AS record,
         coalesce((SELECT change_id FROM balance_change WHERE change_id = $1),
                  (SELECT change_id FROM balance_change LIMIT 1))::text AS balance`;

/**
 * `watched`: a balance's change that has been looked at. Changes are in no order, so it is looked at again for
 * as long as it waits, whatever has come meanwhile.
 */
export async function firstWaiting(
  database: Database,
  watched: string | null,
): Promise<FirstWaiting> {
  const first = await queryRow<FirstWaiting>(database, FIRST, [watched]);
  return first ?? { record: null, balance: null };
}

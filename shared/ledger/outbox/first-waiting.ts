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
         (SELECT change_id::text FROM balance_change ORDER BY change_id LIMIT 1) AS balance`;

export async function firstWaiting(database: Database): Promise<FirstWaiting> {
  return (await queryRow<FirstWaiting>(database, FIRST)) ?? { record: null, balance: null };
}

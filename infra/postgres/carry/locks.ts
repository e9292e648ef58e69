import { setTimeout as sleep } from "node:timers/promises";
import { queryRow, sqlState, type Transaction } from "../../../shared/ledger/postgres/database.ts";

/** Commits what `work` does on a connection, or nothing of it. */
export async function committed<T>(client: Transaction, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // A lost connection has rolled back already.
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

const LOCK_NOT_AVAILABLE = "55P03";
/** Others wait in line behind a lock that is waited for; shorter than Postgres waits for a deadlock. */
const WAIT = "SET LOCAL lock_timeout = 500";
const WAIT_FOR_OTHERS = "SET LOCAL lock_timeout = 0";
const PAUSE_MS = 1_000;
const MOST_TRIES = 900;

const HOLDERS = `
  SELECT string_agg(DISTINCT coalesce(nullif(application_name, ''), pid::text), ', ') AS names
  FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE relation IN ('usage_record'::regclass, 'draw'::regclass) AND pid <> pg_backend_pid()`;

/**
 * Commits what `work` does while the tables usage_record and draw are locked; tried again while others
 * hold locks on them, whose names go to `onWait`.
 */
export async function withLock(
  client: Transaction,
  mode: "SHARE ROW EXCLUSIVE" | "ACCESS EXCLUSIVE",
  onWait: (holders: string) => void | Promise<void>,
  work: () => Promise<unknown>,
): Promise<void> {
  let holders = "";
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    try {
      await committed(client, async () => {
        await client.query(WAIT);
        await client.query(`LOCK TABLE usage_record, draw IN ${mode} MODE`);
        await client.query(WAIT_FOR_OTHERS);
        await work();
      });
      return;
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    }
    holders = (await queryRow<{ names: string | null }>(client, HOLDERS))?.names ?? holders;
    await onWait(holders);
    await sleep(PAUSE_MS);
  }
  throw new Error(`usage_record and draw stay locked by ${holders}: end it and run set-up again`);
}

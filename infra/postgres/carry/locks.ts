import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { LOCK_WAIT_MS, retryLocks } from "../retry-locks.ts";

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

const WAIT = `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`;
const WAIT_FOR_OTHERS = "SET LOCAL lock_timeout = 0";

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
  const retries = { what: "usage_record and draw", tables: ["usage_record", "draw"], onWait };
  await retryLocks(client, retries, () =>
    committed(client, async () => {
      await client.query(WAIT);
      await client.query(`LOCK TABLE usage_record, draw IN ${mode} MODE`);
      await client.query(WAIT_FOR_OTHERS);
      await work();
    }),
  );
}

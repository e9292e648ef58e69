import { setTimeout as sleep } from "node:timers/promises";
import { queryRows, sqlState, type Transaction } from "../../shared/ledger/postgres/database.ts";

/**
 * How long a lock is waited for, in milliseconds: others wait in line behind it. Shorter than Postgres waits before
 * it looks for a deadlock.
 */
export const LOCK_WAIT_MS = 500;

/** A lock was waited for as long as `lock_timeout` allows. */
export const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";

export interface LockRetries {
  /** What is locked, for the error. */
  readonly what: string;
  /** The only tables that are locked; without, any of the books. */
  readonly tables?: readonly string[];
  readonly onWait: (holders: string) => void | Promise<void>;
  readonly tries?: number;
  readonly pauseMs?: number;
}

const PAUSE_MS = 1_000;
/** A quarter of an hour, with the time that is waited. */
const TRIES = 600;

/**
 * Runs `work`, which gives up with `lock_timeout` and changes nothing then, again until it gets its locks. Throws
 * once it has not for a quarter of an hour.
 */
export async function retryLocks<T>(
  client: Transaction,
  { what, tables, onWait, tries = TRIES, pauseMs = PAUSE_MS }: LockRetries,
  work: () => Promise<T>,
): Promise<T> {
  let holders = "others";
  for (let tried = 0; tried < tries; tried += 1) {
    try {
      return await work();
    } catch (error) {
      const state = sqlState(error);
      if (state !== LOCK_NOT_AVAILABLE && state !== DEADLOCK_DETECTED) throw error;
    }
    const before = await readHolders(client, tables);
    await sleep(pauseMs);
    const after = await readHolders(client, tables);
    const names = [...after.keys()].filter((of) => before.has(of)).map((of) => after.get(of));
    if (names.length > 0) holders = [...new Set(names)].sort().join(", ");
    await onWait(holders);
  }
  throw new Error(`${what} stay locked by ${holders}: end what it does, and run set-up again`);
}

// Of others' sessions, a role without more rights sees locks and names, not since when they have them.
const HOLDERS = `
  SELECT DISTINCT pid || ' ' || virtualtransaction AS transaction,
         coalesce(nullif(application_name, ''), pid::text) AS name
  FROM pg_locks
  JOIN pg_stat_activity AS session USING (pid)
  JOIN pg_class AS locked ON locked.oid = relation
  WHERE session.datname = current_database() AND pid <> pg_backend_pid() AND granted
    AND relnamespace = 'public'::regnamespace
    AND ($1::text[] IS NULL OR relname = ANY($1))`;

/** The names of those who hold locks now, by their transactions. */
async function readHolders(
  client: Transaction,
  tables: LockRetries["tables"],
): Promise<Map<string, string>> {
  type Holder = { readonly transaction: string; readonly name: string };
  const rows = await queryRows<Holder>(client, HOLDERS, [tables ?? null]);
  return new Map(rows.map(({ transaction, name }) => [transaction, name]));
}

import { setTimeout as sleep } from "node:timers/promises";
import { queryRow, sqlState, type Transaction } from "../../shared/ledger/postgres/database.ts";

/**
 * How long a lock is waited for, in milliseconds: others wait in line behind it. Shorter than Postgres waits before
 * it looks for a deadlock.
 */
export const LOCK_WAIT_MS = 500;

const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";

export interface LockRetries {
  /** What is locked, for the error. */
  readonly what: string;
  /** A query whose row names who may hold the locks (`names`). */
  readonly holders: string;
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
  { what, holders: query, onWait, tries = TRIES, pauseMs = PAUSE_MS }: LockRetries,
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
    holders = (await queryRow<{ names: string | null }>(client, query))?.names ?? holders;
    await onWait(holders);
    await sleep(pauseMs);
  }
  throw new Error(`${what} stay locked by ${holders}: end what it does, and run set-up again`);
}

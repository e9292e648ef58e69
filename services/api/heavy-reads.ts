import type { Database } from "../../shared/ledger/postgres/database.ts";
import { Problem } from "./problem.ts";

export type HeavyReads = ReturnType<typeof openHeavyReads>;

/** Fewer than the pool of heavy reads has connections, so that no account has all of them. */
const MOST_RUNNING = 3;
const MOST_WAITING = 30;
const AGAIN = { retryAfterSeconds: 2 };
const TOO_MANY = "too many sums and lists of this account are being read; try again in a moment";

interface Reads {
  running: number;
  /** Starts the next one. */
  readonly waiting: (() => void)[];
}

/**
 * Runs the reads that may take long on connections of their own, a few of each account at a time, so that
 * neither one account's nor all of them keep balances, allowances and ingest waiting.
 */
export function openHeavyReads(database: Database) {
  const byAccount = new Map<string, Reads>();

  async function enter(accountId: string): Promise<Reads> {
    const reads = byAccount.get(accountId) ?? { running: 0, waiting: [] };
    byAccount.set(accountId, reads);
    if (reads.running < MOST_RUNNING) {
      reads.running += 1;
    } else if (reads.waiting.length < MOST_WAITING) {
      // The one that ends hands its place on.
      await new Promise<void>((start) => reads.waiting.push(start));
    } else {
      throw new Problem(429, "too_many_reads", TOO_MANY, AGAIN);
    }
    return reads;
  }

  function leave(accountId: string, reads: Reads): void {
    const next = reads.waiting.shift();
    if (next !== undefined) next();
    else reads.running -= 1;
    if (reads.running === 0) byAccount.delete(accountId);
  }

  return async function run<T>(
    accountId: string,
    read: (database: Database) => T | Promise<T>,
  ): Promise<T> {
    const reads = await enter(accountId);
    try {
      return await read(database);
    } finally {
      leave(accountId, reads);
    }
  };
}

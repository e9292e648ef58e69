import type { Database } from "../../shared/ledger/postgres/database.ts";
import { Problem } from "./problem.ts";

export type HeavyReads = ReturnType<typeof openHeavyReads>;

/** The reads of an account that run and wait. */
interface Limits {
  readonly running: number;
  readonly waiting: number;
  /** What is refused beyond them. */
  refuse(): Problem;
}

/** Together fewer than the pool has connections, so that no account has all of them. */
const READS: Limits = {
  running: 3,
  waiting: 30,
  refuse: () =>
    new Problem(
      ...([429, "too_many_reads"] as const),
      "too many sums and lists of this account are being read; try again in a moment",
      { retryAfterSeconds: 2 },
    ),
};
export const EXPORTS: Limits = {
  running: 2,
  waiting: 0,
  refuse: () =>
    new Problem(
      ...([429, "too_many_exports"] as const),
      "two exports of this account are running; try again when one has ended",
      { retryAfterSeconds: 10 },
    ),
};

interface Reads {
  running: number;
  /** Starts the next one. */
  readonly waiting: (() => void)[];
}

/**
 * Runs the reads that may take long on connections of their own, a few of each account at a time, so that
 * neither one account's nor all of them keep balances, allowances and ingest waiting.
 */
export function openHeavyReads(database: Database, limits: Limits = READS) {
  const byAccount = new Map<string, Reads>();

  async function enter(accountId: string): Promise<Reads> {
    const reads = byAccount.get(accountId) ?? { running: 0, waiting: [] };
    byAccount.set(accountId, reads);
    if (reads.running < limits.running) {
      reads.running += 1;
    } else if (reads.waiting.length < limits.waiting) {
      // The one that ends hands its place on.
      await new Promise<void>((start) => reads.waiting.push(start));
    } else {
      throw limits.refuse();
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

import { type Database, onConnection, type Transaction } from "./database.ts";
import { together } from "./together.ts";

/** What a transaction has decided. */
export interface Decision<T> {
  readonly result: T;
  /** Begins the statements that write, all of them before it returns. */
  readonly write: () => Promise<unknown>;
}

/**
 * A transaction of two round trips. What `lock` begins is sent right behind BEGIN: it only locks and reads, so that
 * nothing is done if BEGIN fails. COMMIT is sent right behind what is written: if any of it fails, Postgres rolls
 * back instead. Commits, rolls back and closes as `inTransaction` does.
 */
export async function inTwoRoundTrips<Locked, T>(
  database: Database,
  lock: (transaction: Transaction) => Promise<Locked>,
  decide: (transaction: Transaction, locked: Locked) => Promise<Decision<T>>,
): Promise<T> {
  return onConnection(database, async (transaction) => {
    const [, locked] = await together([transaction.query("BEGIN"), lock(transaction)]);
    const { result, write } = await decide(transaction, locked);
    await together([write(), transaction.query("COMMIT")]);
    return result;
  });
}

import { type Database, inTransaction, type Transaction } from "./database.ts";

const BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/** Runs reads on one consistent snapshot of the books. Writes fail. */
export async function readSnapshot<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (transaction) => {
    await transaction.query(BEGIN);
    return work(transaction);
  });
}

const BEGIN_USAGE = `${BEGIN}; LOCK TABLE ONLY usage_page IN ACCESS SHARE MODE`;

/**
 * The same, where single usage events are read. What drops a month of them waits for the lock: a snapshot
 * without it would see neither their pages nor what is kept of them.
 */
export async function readUsageSnapshot<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (transaction) => {
    await transaction.query(BEGIN_USAGE);
    return work(transaction);
  });
}

const ALLOW = `
  SET LOCAL enable_hashjoin = on;
  SET LOCAL enable_mergejoin = on;
  SET LOCAL enable_seqscan = on;
  SET LOCAL idle_in_transaction_session_timeout = 0`;

/** Allows the planner to join whole tables in the rest of a read-only transaction, and lifts its idle limit. */
export async function allowWholeTables(transaction: Transaction): Promise<void> {
  await transaction.query(ALLOW);
}

import { type Database, inTransaction, type Transaction } from "./database.ts";

// What drops a month of usage waits for the lock; a snapshot taken before would see neither its pages nor
// their sums.
const BEGIN = `
  SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
  LOCK TABLE ONLY usage_page IN ACCESS SHARE MODE`;

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

const ALLOW = `
  SET LOCAL enable_hashjoin = on;
  SET LOCAL enable_mergejoin = on;
  SET LOCAL enable_seqscan = on;
  SET LOCAL idle_in_transaction_session_timeout = 0`;

/** Allows the planner to join whole tables in the rest of a read-only transaction, and lifts its idle limit. */
export async function allowWholeTables(transaction: Transaction): Promise<void> {
  await transaction.query(ALLOW);
}

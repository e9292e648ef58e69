import { type Database, inTransaction, type Transaction } from "./database.ts";

/** Runs several reads on one state of the books: what `work` reads fits together. Nothing can be written. */
export async function readSnapshot<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (transaction) => {
    await transaction.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    return work(transaction);
  });
}

const ALLOW = `
  SET LOCAL enable_hashjoin = on;
  SET LOCAL enable_mergejoin = on;
  SET LOCAL enable_seqscan = on;
  SET LOCAL idle_in_transaction_session_timeout = 0`;

/**
 * Lets the rest of a transaction that only reads join whole tables and take its time, which the
 * services' connections are kept from.
 */
export async function allowWholeTables(transaction: Transaction): Promise<void> {
  await transaction.query(ALLOW);
}

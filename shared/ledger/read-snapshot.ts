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

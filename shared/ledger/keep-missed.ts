import { type Database, inTransaction } from "./database.ts";
import { type DeadLetter, storeDeadLetters } from "./dead-letters.ts";

const EXISTS = `
  SELECT FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset = $3`;

/**
 * Keeps a message that the books have read past, as a dead letter; from there it can be metered like any
 * other. False: it is kept already.
 */
export async function keepMissed(database: Database, letter: DeadLetter): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { topic, partition, offset } = letter;
    const { rowCount } = await transaction.query(EXISTS, [topic, partition, offset]);
    if (rowCount === 1) return false;
    await storeDeadLetters(transaction, [letter]);
    return true;
  });
}

import { lockDeadLetter } from "../dead-letters/read.ts";
import { requestRetry } from "../dead-letters/retry.ts";
import { type Database, inTransaction } from "../postgres/database.ts";
import { type DeadLetter, storeDeadLetters } from "../usage/dead-letters.ts";
import { type Repair, recordRepair } from "./repairs.ts";

/**
 * Stores a skipped message as a dead letter, unless it is one; with `retry` also requests its retry. The
 * repair is recorded in the same transaction.
 */
export async function keepMissed(
  database: Database,
  letter: DeadLetter,
  { retry }: { readonly retry: boolean },
  repair: Repair,
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    if ((await lockDeadLetter(transaction, letter)) === null) {
      await storeDeadLetters(transaction, [letter]);
    }
    if (retry) await requestRetry(transaction, letter, repair.at);
    await recordRepair(transaction, repair);
  });
}

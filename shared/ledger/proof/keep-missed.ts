import { lockDeadLetter } from "../dead-letters/read.ts";
import { requestRetry } from "../dead-letters/retry.ts";
import { type Database, inTransaction } from "../postgres/database.ts";
import { type DeadLetter, storeDeadLetters } from "../usage/dead-letters.ts";
import { type Repair, recordRepair } from "./repairs.ts";

/**
 * Keeps a message that the books have read past as a dead letter, unless it is kept already; with
 * `retry` it is also asked to be published again, so that it is metered like any other. All of it, with
 * the repair's note, or nothing.
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

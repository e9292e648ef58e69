import { TOPICS } from "../../core/text/topics.ts";
import { takeBalanceChanges } from "../../ledger/outbox/balance-changes.ts";
import { balanceChanged } from "../../ledger/outbox/records.ts";
import { type Database, inTransaction } from "../../ledger/postgres/database.ts";
import type { Publisher } from "./publisher.ts";

/**
 * Limits of one publication. Of many small transactions: all that commit during a pause, or balances
 * fall behind. Of large ones, which change the accounts of a whole batch each: what fits into memory.
 */
const AT_ONCE = { transactions: 200, accounts: 400_000 };

/**
 * Publishes the newest state of every account that changed since the last time. The changes are
 * deleted only after Kafka has acknowledged them: if the process is killed in between, they are
 * published again.
 */
export async function publishBalances(database: Database, publisher: Publisher): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const states = await takeBalanceChanges(transaction, AT_ONCE);
    if (states.length === 0) return;
    const changedAt = Date.now();
    await publisher.publish(
      states.map((state) => ({
        topic: TOPICS.balances,
        key: state.accountId,
        sequence: state.version,
        record: balanceChanged(state, changedAt),
      })),
    );
  });
}

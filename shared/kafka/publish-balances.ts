import { TOPICS } from "../core/text/topics.ts";
import { takeBalanceChanges } from "../ledger/outbox/balance-changes.ts";
import { balanceChanged } from "../ledger/outbox/records.ts";
import { type Database, inTransaction } from "../ledger/postgres/database.ts";
import type { Publisher } from "./publisher.ts";

/**
 * So much at once: of many small transactions all that come while it rests, or else balances fall
 * behind; of large ones, which name up to the accounts of a batch each, what memory allows.
 */
const AT_ONCE = { transactions: 200, accounts: 400_000 };

/**
 * Publishes the newest state of every account that moved since the last time. What was noted is
 * forgotten only after Kafka has acknowledged: killed in between, it is published again.
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

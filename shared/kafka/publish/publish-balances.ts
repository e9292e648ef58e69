import { TOPICS } from "../../core/text/topics.ts";
import { takeBalanceChanges } from "../../ledger/outbox/balance-changes.ts";
import { balanceChanged } from "../../ledger/outbox/records.ts";
import { type Database, inTransaction } from "../../ledger/postgres/database.ts";
import type { Publisher } from "./publisher.ts";

/**
 * Limits of one publication: enough small transactions to keep up, and of large ones, which change the
 * accounts of a whole batch, no more than fits into memory.
 */
const LIMITS = { transactions: 200, accounts: 400_000 };
/** Encoding so many takes about 15 ms; metering goes on while Kafka stores them. */
const AT_ONCE = 1_000;

/**
 * Publishes the newest state of every account that has changed. Changes are deleted after Kafka has
 * acknowledged them: a process that is killed in between publishes them again.
 */
export async function publishBalances(database: Database, publisher: Publisher): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const states = await takeBalanceChanges(transaction, LIMITS);
    if (states.length === 0) return;
    const changedAt = Date.now();
    for (let at = 0; at < states.length; at += AT_ONCE) {
      await publisher.publish(
        states.slice(at, at + AT_ONCE).map((state) => ({
          topic: TOPICS.balances,
          key: state.accountId,
          sequence: state.version,
          record: balanceChanged(state, changedAt),
        })),
      );
    }
  });
}

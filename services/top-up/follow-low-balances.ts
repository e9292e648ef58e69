import type { AccountId } from "../../shared/core/line/account.ts";
import { LOW_BALANCE_READER, TOPICS } from "../../shared/core/text/topics.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { readKey } from "../../shared/kafka/codec/read-key.ts";
import type { MessageBatch } from "../../shared/kafka/consume/batch-forms.ts";
import type { SkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import { raiseOffset } from "../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";
import type { TopUpLow } from "./top-up-low.ts";

/**
 * Makes the handler of `billing.low-balance`: tops up each account named by a record's key if it is
 * low. The account's current state decides, so repeated, old and forged records do nothing. The offset
 * is stored afterwards.
 */
export function lowBalanceHandler(context: {
  readonly database: Database;
  readonly waits: OutageRetry;
  readonly skipped: Pick<SkippedRecords, "skip">;
  readonly topUpLow: TopUpLow;
}): (batch: MessageBatch, heartbeat: () => Promise<void>) => Promise<bigint> {
  const { database, waits, skipped, topUpLow } = context;
  return async ({ messages, partition, nextOffset }, heartbeat) => {
    const accounts = new Set<AccountId>();
    for (const { key, offset } of messages) {
      const named = readKey(key);
      if (typeof named === "string") accounts.add(named);
      else skipped.skip({ topic: TOPICS.lowBalance, partition, offset, ...named });
    }
    await forEachConcurrently([...accounts], accounts.size, async (accountId) => {
      await topUpLow(accountId);
      await heartbeat();
    });
    await waits.untilUp("Postgres", () =>
      raiseOffset(database, LOW_BALANCE_READER, partition, nextOffset),
    );
    return nextOffset;
  };
}

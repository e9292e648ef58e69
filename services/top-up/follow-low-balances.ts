import { idProblem, toAccountId } from "../../shared/core/text/text.ts";
import { LOW_BALANCE_READER } from "../../shared/core/text/topics.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import type { MessageBatch } from "../../shared/kafka/consume/partition-reader.ts";
import { raiseOffset } from "../../shared/ledger/books/consumer-offset.ts";
import { topUpIfLow } from "../../shared/ledger/payments/top-up-account.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { atOnce } from "../../shared/runtime/at-once.ts";

const ACCOUNTS_AT_ONCE = 8;

/**
 * Makes the handler of `billing.low-balance`: looks at each account that is named, by the record's
 * key. What the account is now decides, not what the record says, so a repeat or an old one does
 * nothing; the place in the topic moves on after the accounts were looked at.
 */
export function lowBalanceHandler(parts: {
  readonly database: Database;
  readonly waits: OutageRetry;
  /** Hears of each top-up that was made. */
  onTopUp(): void;
}): (batch: MessageBatch, heartbeat: () => Promise<void>) => Promise<bigint> {
  const { database, waits, onTopUp } = parts;
  return async ({ messages, partition, nextOffset }, heartbeat) => {
    const named = new Set(messages.map(({ key }) => key?.toString() ?? ""));
    const accounts = [...named].filter((id) => idProblem("account", id) === null).map(toAccountId);
    await atOnce(accounts, ACCOUNTS_AT_ONCE, async (accountId) => {
      const looked = await waits.untilUp("Postgres", () =>
        topUpIfLow(database, { accountId, now: Date.now() }),
      );
      if ("topUp" in looked && looked.topUp !== null) onTopUp();
      await heartbeat();
    });
    await waits.untilUp("Postgres", () =>
      raiseOffset(database, LOW_BALANCE_READER, partition, nextOffset),
    );
    return nextOffset;
  };
}

import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { autoTopUpsToLookAt } from "../../shared/ledger/books/auto-top-ups.ts";
import { topUpIfLow } from "../../shared/ledger/payments/top-up-account.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";

const CHECK_EVERY_MS = 500;
const BATCH = 100;
const MOST_CONCURRENT = 4;

/**
 * Re-checks accounts whose auto top-up waited for an instant, a card, a setting or another top-up,
 * until the service stops.
 */
export async function recheckLowBalances(context: {
  readonly database: Database;
  readonly waits: OutageRetry;
  /** Called after each top-up. */
  onTopUp(): void;
}): Promise<void> {
  const { database, waits, onTopUp } = context;
  await waits.repeat("accounts to top up", async () => {
    const accounts = await autoTopUpsToLookAt(database, Date.now(), BATCH);
    await forEachConcurrently(accounts, MOST_CONCURRENT, async (accountId) => {
      const outcome = await topUpIfLow(database, { accountId, now: Date.now() });
      if ("topUp" in outcome && outcome.topUp !== null) onTopUp();
    });
    if (accounts.length < BATCH) await waits.pause(CHECK_EVERY_MS);
  });
}

import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { autoTopUpsToLookAt } from "../../shared/ledger/books/auto-top-ups.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";
import type { TopUpLow } from "./top-up-low.ts";

const CHECK_EVERY_MS = 500;
const BATCH = 100;

/**
 * Re-checks accounts whose auto top-up waited for an instant, a card, a setting or another top-up,
 * until the service stops.
 */
export async function recheckLowBalances(context: {
  readonly database: Database;
  readonly waits: OutageRetry;
  readonly topUpLow: TopUpLow;
}): Promise<void> {
  const { database, waits, topUpLow } = context;
  await waits.repeat("accounts to top up", async () => {
    const accounts = await autoTopUpsToLookAt(database, Date.now(), BATCH);
    await forEachConcurrently(accounts, BATCH, topUpLow);
    if (accounts.length < BATCH) await waits.pause(CHECK_EVERY_MS);
  });
}

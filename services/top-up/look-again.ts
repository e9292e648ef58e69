import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { autoTopUpsToLookAt } from "../../shared/ledger/books/auto-top-ups.ts";
import { topUpIfLow } from "../../shared/ledger/payments/top-up-account.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { atOnce } from "../../shared/runtime/at-once.ts";

const LOOK_EVERY_MS = 500;
const ACCOUNTS_AT_ONCE = 100;
const LOOKS_AT_ONCE = 4;

/**
 * Looks again at accounts whose auto top-up waited for an instant, a card, a setting or another
 * top-up, until the service is asked to stop.
 */
export async function lookAgain(parts: {
  readonly database: Database;
  readonly waits: OutageRetry;
  /** Hears of each top-up that was made. */
  onTopUp(): void;
}): Promise<void> {
  const { database, waits, onTopUp } = parts;
  await waits.repeat("accounts to look at", async () => {
    const accounts = await autoTopUpsToLookAt(database, Date.now(), ACCOUNTS_AT_ONCE);
    await atOnce(accounts, LOOKS_AT_ONCE, async (accountId) => {
      const looked = await topUpIfLow(database, { accountId, now: Date.now() });
      if ("topUp" in looked && looked.topUp !== null) onTopUp();
    });
    if (accounts.length < ACCOUNTS_AT_ONCE) await waits.pause(LOOK_EVERY_MS);
  });
}

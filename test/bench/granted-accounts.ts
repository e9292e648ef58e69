import { toAccountId } from "../../shared/core/text/text.ts";
import { createAccount } from "../../shared/ledger/credits/create-account.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { accountName } from "./load.ts";

const AT_ONCE = 8;
const LOT = { lotId: "lot-0", source: "promotion", reference: "", end: { kind: "never" } } as const;

/**
 * Opens accounts `accountName(0..)` with a lot each, as the ledger does: with entries, settings and
 * records to publish. One in twenty has little, so that low balances are published on the way.
 */
export async function openGranted(
  env: NodeJS.ProcessEnv,
  url: string,
  accounts: number,
): Promise<void> {
  const { database: settings } = readSettings({ ...env, DATABASE_URL: url });
  const database = openDatabase(settings, {
    name: "bench",
    connections: AT_ONCE,
    onError: () => undefined,
  });
  const now = Date.now();
  const indices = Array.from({ length: accounts }, (_, index) => index);
  try {
    await forEachConcurrently(indices, AT_ONCE, async (index) => {
      const accountId = toAccountId(accountName(index));
      const account = { accountId, timeZone: "UTC", currency: "USD", threshold: 0n };
      await createAccount(database, account, { now, by: "bench" });
      const credits = index % 20 === 0 ? 1_000n : 1_000_000_000_000n;
      const { kind } = await grantCredits(database, accountId, { ...LOT, credits }, now);
      if (kind !== "granted") throw new Error(`the lot of ${accountId} was not granted: ${kind}`);
    });
  } finally {
    await database.end();
  }
}

import type { AccountId } from "../../shared/core/line/account.ts";
import { dashboardLinkKey, makeDashboardToken } from "../../shared/ledger/access/make-access.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import type { LocalApi } from "../local/api.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Prints the URLs of an account's dashboard, of the operators' dashboard and of the API. */
export async function showDashboard(
  env: NodeJS.ProcessEnv,
  { accountId, api, say }: { accountId: AccountId; api: LocalApi; say: (line: string) => void },
): Promise<void> {
  const pool = { name: "drawdown-demo", connections: 1 };
  const database = openDatabase(readSettings(env).database, pool);
  try {
    const now = Date.now();
    const keyId = await dashboardLinkKey(database, { createdBy: "npm run demo", now });
    const token = await makeDashboardToken(database, {
      accountId,
      keyId,
      forMs: DAY_MS,
      readOnly: false,
      now,
    });
    if (token === null) throw new Error(`there is no account ${accountId} to show`);
    say(`\n  Watch it move:  ${api.url}/dashboard/#token=${token.text}`);
    say(`  Operators:      ${api.url}/dashboard/#operators`);
    say(`  Admin key:      ${api.key}`);
    say(`  The API:        ${api.url}/docs\n`);
  } finally {
    await database.end();
  }
}

import { firstWaiting } from "../../ledger/outbox/first-waiting.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import type { Health } from "../../runtime/health/health.ts";
import { standstill } from "./standstill.ts";

/** Checks that what waits to be published is published, whichever process does it. */
export function checkOutbox(health: Health, database: Database, limitMs: number): void {
  const recordStands = standstill();
  const balanceStands = standstill();
  let watched: string | null = null;
  health.state("outbox", async () => {
    const { record, balance } = await firstWaiting(database, watched);
    watched = balance;
    const recordForMs = recordStands(record);
    const forMs = Math.max(recordForMs, balanceStands(balance));
    if (forMs < limitMs) return null;
    const what = recordForMs === forMs ? `the record ${record}` : "a changed balance";
    return { reason: `${what} waits to be published`, forMs };
  });
}

import { firstWaiting } from "../../ledger/outbox/first-waiting.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import type { Health } from "../../runtime/health/health.ts";
import { standstill } from "./standstill.ts";

/** Checks that what waits to be published is published, whichever process does it. */
export function checkOutbox(health: Health, database: Database, limitMs: number): void {
  const look = watchOutbox(database);
  health.state("outbox", async () => {
    const { what, forMs } = await look();
    return forMs < limitMs ? null : { reason: `${what} waits to be published`, forMs };
  });
}

/** Looks for how long what is next to be published has been next: as long as it is looked at. */
export function watchOutbox(
  database: Database,
): () => Promise<{ readonly what: string; readonly forMs: number }> {
  const recordStands = standstill();
  const balanceStands = standstill();
  let watched: string | null = null;
  return async () => {
    const { record, balance } = await firstWaiting(database, watched);
    watched = balance;
    const recordForMs = recordStands(record);
    const forMs = Math.max(recordForMs, balanceStands(balance));
    const what = recordForMs === forMs ? `the record ${record}` : "a changed balance";
    return { what, forMs };
  };
}

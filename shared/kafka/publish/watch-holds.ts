import { endExpiredHolds } from "../../ledger/holds/end-expired-holds.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import type { Health } from "../../runtime/health/health.ts";
import { watchLoop } from "../../runtime/health/watch-loop.ts";
import type { OutageRetry } from "../client/retry-outages.ts";

/** What a hold set aside is to be back, and said, within two seconds. */
const LOOK_EVERY_MS = 500;

/** Ends holds whose time is over, until the service stops. Every service but webhooks does: any one suffices. */
export function watchHolds(parts: {
  readonly database: Database;
  readonly waits: OutageRetry;
  readonly health: Health;
}): Promise<void> {
  const { database, waits, health } = parts;
  const loop = watchLoop();
  health.work("holds", loop.standsForMs);
  return waits.repeat(
    "expired holds",
    loop.turn(async () => {
      const ended = await endExpiredHolds(database, Date.now());
      if (ended === 0) await waits.pause(LOOK_EVERY_MS);
    }),
  );
}

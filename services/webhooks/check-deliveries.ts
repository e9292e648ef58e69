import { standstill } from "../../shared/kafka/health/standstill.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { firstDueWebhook } from "../../shared/ledger/webhooks/backlog.ts";
import type { Health } from "../../shared/runtime/health/health.ts";

/** Checks that what is due at endpoints that do not fail is taken, whichever process takes it. */
export function checkDeliveries(
  health: Health,
  parts: { readonly database: Database; readonly limitMs: number; now(): number },
): void {
  const { database, limitMs, now } = parts;
  const firstStands = standstill();
  health.state("deliveries", async () => {
    const forMs = firstStands(await firstDueWebhook(database, now()));
    if (forMs < limitMs) return null;
    return { reason: "webhooks are due, and no process takes them", forMs };
  });
}

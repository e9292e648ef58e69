import { Gauge, type Registry } from "prom-client";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readBacklogs } from "../../../shared/ledger/webhooks/backlog.ts";

/** Gauges of each webhook endpoint. Returns what sets them; `most` bounds what is counted. */
export function webhookGauges(
  register: Registry,
): (database: Database, now: Instant, most: number) => Promise<void> {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["endpoint_id"], registers: [register] });
  const queues = gauge(
    "drawdown_webhook_queues",
    "Accounts, each with its types, of which events wait to be delivered, counted up to 10,000.",
  );
  const failing = gauge("drawdown_webhook_failing_seconds", "For how long nothing has succeeded.");
  const paused = gauge("drawdown_webhook_paused", "1: nothing is delivered to it.");
  return async (database, now, most) => {
    for (const each of [queues, failing, paused]) each.reset();
    for (const { endpointId, failingSince, pausedAt, ...backlog } of await readBacklogs(
      database,
      most,
    )) {
      const labels = { endpoint_id: endpointId };
      queues.set(labels, backlog.queues);
      failing.set(labels, failingSince === null ? 0 : (now - failingSince) / 1000);
      paused.set(labels, Number(pausedAt !== null));
    }
  };
}

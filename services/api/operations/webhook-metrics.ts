import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readBacklogs } from "../../../shared/ledger/webhooks/backlog.ts";
import type { Make } from "../../../shared/runtime/metrics/metrics.ts";

/** Shows what waits for each webhook endpoint, and how it fares; `most` bounds what is counted. */
export function webhookMetrics(books: {
  readonly database: Database;
  readonly most: number;
  now(): number;
}): (make: Make) => Promise<void> {
  return async ({ gauge }) => {
    const queues = gauge(
      "drawdown_webhook_queues",
      "Accounts, each with its types, of which events wait to be delivered, counted up to 10,000.",
      ["endpoint_id"],
    );
    const failing = gauge(
      "drawdown_webhook_failing_seconds",
      "For how long nothing that was sent to the endpoint has succeeded.",
      ["endpoint_id"],
    );
    const paused = gauge("drawdown_webhook_paused", "1: nothing is delivered to the endpoint.", [
      "endpoint_id",
    ]);
    const now = books.now();
    for (const { endpointId, failingSince, pausedAt, ...backlog } of await readBacklogs(
      books.database,
      books.most,
    )) {
      const labels = { endpoint_id: endpointId };
      queues.set(labels, backlog.queues);
      failing.set(labels, failingSince === null ? 0 : (now - failingSince) / 1000);
      paused.set(labels, Number(pausedAt !== null));
    }
  };
}

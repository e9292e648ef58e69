import { openServers } from "../../shared/kafka/client/open-servers.ts";
import { checkOutbox } from "../../shared/kafka/health/check-outbox.ts";
import { checkServers } from "../../shared/kafka/health/check-servers.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { bookTraces } from "../../shared/kafka/publish/publish-traces.ts";
import { watchHolds } from "../../shared/kafka/publish/watch-holds.ts";
import { requireBooks } from "../../shared/ledger/postgres/require-books.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { followRuns } from "./follow-runs.ts";
import { housekeeping } from "./housekeeping.ts";
import { usageProof } from "./prove-usage.ts";
import { runByCron } from "./run-by-cron.ts";
import { runMetrics } from "./run-metrics.ts";
import { schedulerRun } from "./scheduler-run.ts";

/** A fallback: where metering runs, it publishes sooner. */
const PUBLISH_EVERY_MS = 500;

await runService("scheduler", async (service) => {
  const { settings, logger, stopping, health, metrics } = service;
  const servers = openServers("drawdown-scheduler", service, { connections: 4 });
  const { database, waits } = servers;
  const { cron, proofCron, housekeepingCron, noticeWithinMs, retention } = settings.scheduler;
  checkServers(health, servers, settings.registry);
  checkOutbox(health, database, settings.health.stalledAfterMs);

  await waits.untilUp("Postgres", () => requireBooks(database));
  logger.info({ cron, proofCron, housekeepingCron }, "scheduling");
  const runs = followRuns();
  const { onStep } = runs;
  const { measured } = runMetrics(metrics.register);
  metrics.source("runs", ({ gauge }) => {
    const help = "For how long a run by SCHEDULER_CRON has been overdue, or has not moved on.";
    gauge("drawdown_scheduler_late_seconds", help).set(runs.standsForMs() / 1000);
  });
  const run = schedulerRun({ database, waits, noticeWithinMs, logger, stopping, onStep });
  const prove = usageProof({ ...servers, logger, stopping });
  const keepHouse = housekeeping({ ...servers, retention, logger, stopping });
  const sleeper = openSleeper(stopping);
  const traces = service.tracing && bookTraces(service.tracing);
  health.work("runs", runs.standsForMs);
  health.started();
  await Promise.all([
    runByCron(cron, runs.followed(measured("schedule", run)), stopping, { onDue: runs.onDue }),
    runByCron(proofCron, measured("proof", prove), stopping, { later: true }),
    runByCron(housekeepingCron, measured("housekeeping", keepHouse), stopping, { later: true }),
    publishBooks({ ...servers, health, lookEveryMs: PUBLISH_EVERY_MS, sleeper, traces }),
    watchHolds({ ...servers, health }),
  ]);
  await servers.close();
});

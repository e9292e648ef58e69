import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openServers } from "../../shared/kafka/client/open-servers.ts";
import { openSkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import { checkConsumer } from "../../shared/kafka/health/check-consumer.ts";
import { checkServers } from "../../shared/kafka/health/check-servers.ts";
import { watchHolds } from "../../shared/kafka/publish/watch-holds.ts";
import { hasApiKeys } from "../../shared/ledger/access/api-keys.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { requireBooks } from "../../shared/ledger/postgres/require-books.ts";
import { poolMetrics } from "../../shared/runtime/metrics/pool-metrics.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { untilAborted } from "../../shared/runtime/until-aborted.ts";
import { openIngestClient } from "./ingest/open-client.ts";
import { buildServer } from "./server.ts";
import { isPublic, readApiSettings } from "./settings.ts";
import { readChanges } from "./stream/changes.ts";
import { followTopics } from "./stream/follow-topics.ts";
import { openListeners } from "./stream/listeners.ts";
import { untilKeyExists } from "./until-key-exists.ts";

const POOL = { connections: 14, plans: "of_one_account" } as const;
/** Requests about holds are decided one transaction at a time in each of two lanes, and wait for no others. */
const HOLD_POOL = { connections: 2, plans: "of_one_account" } as const;
/** Reads that may take long have their own, so that they never keep others waiting for a connection. */
const HEAVY_POOL = { connections: 8, plans: "of_one_account" } as const;
/** How long requests are still taken once the service is asked to stop, each the last one of its connection. */
const LEAVE_MS = 500;
const DASHBOARD = resolve(import.meta.dirname, "../../dist/dashboard");

await runService("api", async (service) => {
  const { settings, logger, stopping, health, metrics, tracing } = service;
  const api = readApiSettings(process.env);
  const servers = openServers("drawdown-api", service, POOL);
  const heavyDatabase = openDatabase(settings.database, { ...HEAVY_POOL, name: "drawdown-api" });
  const holdDatabase = openDatabase(settings.database, { ...HOLD_POOL, name: "drawdown-api" });
  const { database, kafka, admin, waits } = servers;
  poolMetrics(metrics, { main: database, heavy: heavyDatabase, holds: holdDatabase });
  const { untilUp } = waits;
  checkServers(health, servers, settings.registry);
  await untilUp("Postgres", () => requireBooks(database));
  if (isPublic(api.host)) {
    await untilKeyExists(
      () => untilUp("Postgres", () => hasApiKeys(database, Date.now())),
      service,
    );
  }
  await untilUp("Kafka", () => admin.connect());
  const skipped = openSkippedRecords(logger);
  const listeners = openListeners(
    (known) => readChanges({ database, now: Date.now }, known),
    logger,
  );
  const topics = await untilUp("Kafka", () => followTopics(kafka, listeners, skipped));
  const dashboardDir = existsSync(DASHBOARD) ? DASHBOARD : null;
  const client = openIngestClient(settings, logger);
  const usage = { client, window: settings.metering.window, tracing };
  const app = await buildServer(
    {
      database,
      heavyDatabase,
      holdDatabase,
      logger,
      metrics,
      now: Date.now,
      usage,
      attemptsPerHour: settings.paymentAttemptsPerHour,
      webhooks: settings.webhooks,
      listeners,
      skipped,
      admin,
      stopping,
      dashboardDir,
    },
    api,
  );
  const address = await app.listen({ host: api.host, port: api.port });
  checkConsumer(health, topics.watch);
  const holds = watchHolds({ ...servers, health });
  health.started();
  logger.info({ address }, "serving");
  await Promise.race([topics.ended, holds, untilAborted(stopping)]);
  await sleep(LEAVE_MS);
  await app.close();
  await client.close();
  await topics.stop();
  await holds;
  await heavyDatabase.end();
  await holdDatabase.end();
  await servers.close();
});

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openRegistry } from "../../shared/kafka/codec/registry.ts";
import { hasApiKeys } from "../../shared/ledger/access/api-keys.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { openIngestClient } from "./ingest/open-client.ts";
import { buildServer } from "./server.ts";
import { readApiSettings, requireKeyToListen } from "./settings.ts";
import { followTopics } from "./stream/follow-topics.ts";
import { openListeners } from "./stream/listeners.ts";

const NAME = "drawdown-api";
const CONNECTIONS = 16;
const DASHBOARD = resolve(import.meta.dirname, "../../dist/dashboard");

await runService("api", async ({ settings, logger, stopping }) => {
  const api = readApiSettings(process.env);
  const database = openDatabase(settings.database, {
    name: NAME,
    connections: CONNECTIONS,
    plans: "of_one_account",
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  const kafka = openKafka(settings.kafka, NAME, logger);
  const admin = kafka.admin();
  const { untilUp } = retryOutages({ logger, stopping });
  requireKeyToListen(api.host, await untilUp("Postgres", () => hasApiKeys(database)));
  await untilUp("Kafka", () => admin.connect());
  const listeners = openListeners();
  const topics = await untilUp("Kafka", () =>
    followTopics(kafka, openRegistry(settings.registry), listeners),
  );
  const dashboardDir = existsSync(DASHBOARD) ? DASHBOARD : null;
  const client = openIngestClient(settings, logger);
  const usage = { client, window: settings.metering.window };
  const app = await buildServer(
    { database, logger, now: Date.now, usage, listeners, admin, dashboardDir },
    api,
  );
  const address = await app.listen({ host: api.host, port: api.port });
  logger.info({ address }, "serving");
  const stopped = new Promise((done) => stopping.addEventListener("abort", done, { once: true }));
  await Promise.race([topics.ended, stopped]);
  await app.close();
  await client.close();
  await topics.stop();
  await admin.disconnect();
  await database.end();
});

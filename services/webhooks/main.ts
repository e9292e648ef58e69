import { webhookReader } from "../../shared/core/text/topics.ts";
import { EVENT_TYPES } from "../../shared/core/webhooks/event-types.ts";
import { openServers } from "../../shared/kafka/client/open-servers.ts";
import { registerSchemas } from "../../shared/kafka/codec/registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { MESSAGES } from "../../shared/kafka/consume/batch-forms.ts";
import { startReader, untilStopped } from "../../shared/kafka/consume/run-reader.ts";
import { openSkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import { checkConsumer } from "../../shared/kafka/health/check-consumer.ts";
import { checkServers } from "../../shared/kafka/health/check-servers.ts";
import { skippedMetrics } from "../../shared/kafka/health/skipped-metrics.ts";
import { requireBooks } from "../../shared/ledger/postgres/require-books.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { checkDeliveries } from "./check-deliveries.ts";
import { countedSender } from "./counted-sender.ts";
import { delivering } from "./deliver.ts";
import { eventHandler } from "./follow-events.ts";
import { openRooms } from "./rooms.ts";
import { openSender } from "./send.ts";

const POOL = { connections: 8, plans: "of_one_account" } as const;
const BATCH = 1_000;

await runService("webhooks", async (service) => {
  const { settings, logger, stopping, health, metrics } = service;
  const servers = openServers("drawdown-webhooks", service, POOL);
  const { database, admin, registry, waits } = servers;
  const now = Date.now;
  checkServers(health, servers, settings.registry);
  checkDeliveries(health, { database, limitMs: settings.health.stalledAfterMs, now });

  await waits.untilUp("Postgres", () => requireBooks(database));
  await waits.untilUp("the registry", () => registerSchemas(registry));
  await waits.untilUp("Kafka", () => admin.connect());
  const sender = countedSender(openSender(settings.webhooks), metrics.register);
  const rooms = openRooms();
  const deliveries = delivering({ database, sender, rooms, logger, waits, stopping, now });
  const skipped = openSkippedRecords(logger);
  skippedMetrics(metrics, skipped);
  const parts = { database, registry, waits, skipped, now, onDeliveries: deliveries.wake };
  const schemas = new Map(Object.values(SCHEMAS).map((schema) => [schema.topic, schema]));
  const readers = await Promise.all(
    EVENT_TYPES.map(async (type) => {
      const schema = schemas.get(type);
      if (schema === undefined) throw new Error(`${type} has no schema`);
      const handle = eventHandler({ ...parts, type, schema });
      const options = { batchSize: BATCH, form: MESSAGES, handle };
      const reader = await startReader(servers, webhookReader(type), options);
      checkConsumer(health, reader.watch, type);
      return reader;
    }),
  );
  health.work("delivering", deliveries.standsForMs);
  health.started();
  logger.info({ types: EVENT_TYPES }, "delivering webhooks");
  const reader = {
    ended: Promise.race(readers.map(({ ended }) => ended)),
    stop: async () => void (await Promise.all(readers.map(({ stop }) => stop()))),
  };
  await untilStopped(reader, deliveries.run(), () => undefined);
  sender.close();
  await servers.close();
});

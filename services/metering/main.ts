import { setTimeout as sleep } from "node:timers/promises";
import { TOPICS } from "../../shared/core/topics.ts";
import { runBatchConsumer } from "../../shared/kafka/batch-consumer.ts";
import { isKafkaOutage, openKafka } from "../../shared/kafka/kafka-client.ts";
import { relayOutbox } from "../../shared/kafka/outbox-relay.ts";
import { openPublisher } from "../../shared/kafka/publisher.ts";
import { openRegistry, RegistryUnavailable, registerSchemas } from "../../shared/kafka/registry.ts";
import { openUsageDecoder } from "../../shared/kafka/usage-decoder.ts";
import { openDatabase } from "../../shared/ledger/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/outage.ts";
import { runService, type ServiceContext } from "../../shared/runtime/run-service.ts";
import { waitOut } from "../../shared/runtime/waits.ts";
import { followUsage, rest } from "./follow-usage.ts";
import { METERING, meterMessages } from "./meter-messages.ts";

const RELAY_EVERY_MS = 100;
const REPORT_EVERY_MS = 10_000;

await runService("metering", async ({ settings, logger, stopping }: ServiceContext) => {
  const database = openDatabase(settings.database, {
    name: "drawdown-metering",
    connections: 5,
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  const kafka = openKafka(settings.kafka, "drawdown-metering", logger);
  const admin = kafka.admin();
  const registry = openRegistry(settings.registry);
  const followPublisher = openPublisher(kafka, registry);
  const relayPublisher = openPublisher(kafka, registry);
  const counted = { metered: 0, repeats: 0, deadLetters: 0, lowBalances: 0 };

  await untilUp("the registry", () => registerSchemas(registry));
  await untilUp("Postgres", () => database.query("SELECT 1"));
  await untilUp("Kafka", () => admin.connect());
  const handle = meterMessages({
    database,
    decoder: openUsageDecoder(registry),
    admin,
    window: settings.metering.window,
    logger,
    stopping,
    onCommitted({ metered, repeats, deadLetters, lowBalances }) {
      counted.metered += metered;
      counted.repeats += repeats;
      counted.deadLetters += deadLetters;
      counted.lowBalances += lowBalances;
    },
  });
  const consumer = await untilUp("Kafka", () =>
    runBatchConsumer(kafka, {
      groupId: METERING,
      topic: TOPICS.usageEvents,
      batchSize: settings.metering.batchEvents,
      handle,
    }),
  );
  logger.info({ topic: TOPICS.usageEvents }, "metering");
  const report = setInterval(() => logger.info(counted, "metered so far"), REPORT_EVERY_MS);
  const background = Promise.all([
    repeat("spend and balances", async () => {
      const startedAt = performance.now();
      await followUsage(database, followPublisher, METERING);
      await rest(performance.now() - startedAt, stopping);
    }),
    repeat("outbox", async () => {
      const more = await relayOutbox(database, relayPublisher);
      if (!more)
        await sleep(RELAY_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }),
  ]);
  await Promise.race([consumer.ended, background]);

  clearInterval(report);
  await consumer.stop();
  await background;
  await Promise.all([followPublisher.close(), relayPublisher.close(), admin.disconnect()]);
  await database.end();

  async function untilUp<T>(what: string, start: () => Promise<T>): Promise<T> {
    return waitOut(start, {
      signal: stopping,
      isOutage,
      onWait: (error, waitMs) =>
        logger.warn({ waitMs, error: (error as Error).message }, `waiting for ${what}`),
    });
  }

  async function repeat(what: string, work: () => Promise<void>): Promise<void> {
    while (!stopping.aborted) await untilUp(what, work);
  }
});

function isOutage(error: unknown): boolean {
  return isDatabaseOutage(error) || isKafkaOutage(error) || error instanceof RegistryUnavailable;
}

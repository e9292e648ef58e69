import { setTimeout as sleep } from "node:timers/promises";
import { METERING, TOPICS, USAGE_READER } from "../../shared/core/topics.ts";
import { runBatchConsumer } from "../../shared/kafka/batch-consumer.ts";
import { isKafkaOutage, openKafka } from "../../shared/kafka/kafka-client.ts";
import { relayOutbox } from "../../shared/kafka/outbox-relay.ts";
import { publishBalances } from "../../shared/kafka/publish-balances.ts";
import { openPublisher } from "../../shared/kafka/publisher.ts";
import { openRegistry, RegistryUnavailable, registerSchemas } from "../../shared/kafka/registry.ts";
import { openUsageDecoder } from "../../shared/kafka/usage-decoder.ts";
import { openDatabase } from "../../shared/ledger/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/outage.ts";
import { runService, type ServiceContext } from "../../shared/runtime/run-service.ts";
import { waitOut } from "../../shared/runtime/waits.ts";
import { joinBatches } from "./join-batches.ts";
import { type Delivery, meterMessages } from "./meter-messages.ts";
import { startPlaces } from "./start-places.ts";

/** One is priced while Postgres stores the other. */
const TRANSACTIONS_AT_ONCE = 2;
const RELAY_EVERY_MS = 100;
/** Balances rest four times as long as publishing them took, within these bounds: under load metering comes first. */
const BALANCES_REST = { times: 4, shortestMs: 200, longestMs: 1_400 };
const LEAVE_WITHIN_MS = 5_000;
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
  const balancePublisher = openPublisher(kafka, registry);
  const relayPublisher = openPublisher(kafka, registry);
  const counted = { metered: 0, repeats: 0, deadLetters: 0, lowBalances: 0 };

  await untilUp("the registry", () => registerSchemas(registry));
  await untilUp("Postgres", () => database.query("SELECT 1"));
  await untilUp("Kafka", () => admin.connect());
  const meter = meterMessages({
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
  const handle = joinBatches(meter, {
    atOnce: TRANSACTIONS_AT_ONCE,
    most: settings.metering.batchEvents,
    sizeOf: ({ batch }: Delivery) => batch.messages.length,
  });
  const consumer = await untilUp("Kafka", () =>
    runBatchConsumer(kafka, {
      groupId: METERING,
      topic: TOPICS.usageEvents,
      batchSize: settings.metering.batchEvents,
      startAt: (partitions) =>
        untilUp("Postgres and Kafka", () => startPlaces(database, admin, USAGE_READER, partitions)),
      handle: (batch, heartbeat) => handle({ batch, heartbeat }),
    }),
  );
  logger.info({ topic: TOPICS.usageEvents }, "metering");
  const report = setInterval(() => logger.info(counted, "metered so far"), REPORT_EVERY_MS);
  const background = Promise.all([
    repeat("balances", async () => {
      const startedAt = performance.now();
      await publishBalances(database, balancePublisher);
      const { times, shortestMs, longestMs } = BALANCES_REST;
      const restMs = (performance.now() - startedAt) * times;
      await pause(Math.min(Math.max(restMs, shortestMs), longestMs));
    }),
    repeat("outbox", async () => {
      const more = await relayOutbox(database, relayPublisher);
      if (!more) await pause(RELAY_EVERY_MS);
    }),
  ]);
  try {
    await Promise.race([consumer.ended, background]);
  } finally {
    clearInterval(report);
    // Leave the group also when failing, so that the others need not wait for the session to time out.
    await Promise.race([consumer.stop(), sleep(LEAVE_WITHIN_MS)]);
  }
  await background;
  await Promise.all([balancePublisher.close(), relayPublisher.close(), admin.disconnect()]);
  await database.end();

  async function untilUp<T>(what: string, start: () => Promise<T>): Promise<T> {
    return waitOut(start, {
      signal: stopping,
      isOutage,
      onWait: (error, waitMs) =>
        logger.warn({ waitMs, error: (error as Error).message }, `waiting for ${what}`),
    });
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: stopping }).catch(() => undefined);
  }

  async function repeat(what: string, work: () => Promise<void>): Promise<void> {
    while (!stopping.aborted) await untilUp(what, work);
  }
});

function isOutage(error: unknown): boolean {
  return isDatabaseOutage(error) || isKafkaOutage(error) || error instanceof RegistryUnavailable;
}

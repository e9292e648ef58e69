import { setTimeout as sleep } from "node:timers/promises";
import { METERING, TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openRegistry, registerSchemas } from "../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";
import { joinBatches } from "../../shared/kafka/consume/join-batches.ts";
import { findStartOffsets } from "../../shared/kafka/consume/start-offsets.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { endStaleTransactions } from "../../shared/ledger/postgres/end-stale-transactions.ts";
import { runService, type ServiceContext } from "../../shared/runtime/run-service.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { type Delivery, meterMessages } from "./meter-messages.ts";
import { usageCompleteWatch } from "./watch-usage-complete.ts";

/** The name of these processes in Postgres and Kafka. */
const NAME = "drawdown-metering";
/** One is priced while Postgres stores the other. */
const CONCURRENT_TRANSACTIONS = 2;
const PUBLISH_EVERY_MS = 100;
/** Delays expiries and add-on charges, which wait for usage, by at most this. */
const CHECK_ENDS_EVERY_MS = 2_000;
/** The time after which Kafka gives a silent consumer's partitions to others. */
const STALE = { name: NAME, olderThanMs: 10_000 };
const END_STALE_EVERY_MS = 2_000;
const LEAVE_WITHIN_MS = 5_000;
const REPORT_EVERY_MS = 10_000;

await runService("metering", async ({ settings, logger, stopping }: ServiceContext) => {
  const database = openDatabase(settings.database, {
    name: NAME,
    connections: 6,
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  const kafka = openKafka(settings.kafka, NAME, logger);
  const admin = kafka.admin();
  const registry = openRegistry(settings.registry);
  const waits = retryOutages({ logger, stopping });
  const { untilUp } = waits;
  const sleeper = openSleeper(stopping);

  await untilUp("the registry", () => registerSchemas(registry));
  await untilUp("Postgres", () => database.query("SELECT 1"));
  await untilUp("Kafka", () => admin.connect());
  const counted = { metered: 0, repeats: 0, deadLetters: 0, lowBalances: 0 };
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
      // Top-ups wait for the low-balance event, so it is published immediately.
      if (lowBalances > 0) sleeper.wake();
    },
  });
  const consumer = await untilUp("Kafka", startConsumer);
  logger.info({ topic: TOPICS.usageEvents }, "metering");
  const report = setInterval(() => logger.info(counted, "metered so far"), REPORT_EVERY_MS);
  const checkEnds = usageCompleteWatch(database, admin);
  const background = Promise.all([
    publishBooks({ database, kafka, registry, waits, lookEveryMs: PUBLISH_EVERY_MS, sleeper }),
    waits.repeat("stale transactions", endStale),
    waits.repeat("the ends of the usage topic", async () => {
      await checkEnds();
      await waits.pause(CHECK_ENDS_EVERY_MS);
    }),
  ]);
  try {
    await Promise.race([consumer.ended, background]);
  } finally {
    clearInterval(report);
    // Leave the group even after a failure, so that others need not wait for the session to time out.
    await Promise.race([consumer.stop(), sleep(LEAVE_WITHIN_MS)]);
  }
  await background;
  await admin.disconnect();
  await database.end();

  function startConsumer() {
    const handle = joinBatches(meter, {
      atOnce: CONCURRENT_TRANSACTIONS,
      most: settings.metering.batchEvents,
      sizeOf: ({ batch }: Delivery) => batch.messages.length,
      // A consumer that lost a partition and got it back may still have a batch of it.
      keyOf: ({ batch }: Delivery) => batch.partition,
    });
    return runBatchConsumer(kafka, {
      groupId: METERING,
      topic: TOPICS.usageEvents,
      batchSize: settings.metering.batchEvents,
      startAt: (partitions) =>
        untilUp("Postgres and Kafka", () =>
          findStartOffsets(database, admin, USAGE_READER, partitions),
        ),
      handle: (batch, heartbeat) => handle({ batch, heartbeat }),
    });
  }

  async function endStale(): Promise<void> {
    const ended = await endStaleTransactions(database, STALE);
    if (ended > 0) logger.warn({ ended }, "ended transactions of a stalled consumer");
    await waits.pause(END_STALE_EVERY_MS);
  }
});

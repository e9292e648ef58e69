import { TOPICS, USAGE_READER } from "../../shared/core/text/topics.ts";
import { openServers, type Servers } from "../../shared/kafka/client/open-servers.ts";
import { openTopicIds } from "../../shared/kafka/client/topic-id.ts";
import { registerSchemas } from "../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { RECORDS } from "../../shared/kafka/consume/batch-forms.ts";
import { joinBatches } from "../../shared/kafka/consume/join-batches.ts";
import { startReader, untilStopped } from "../../shared/kafka/consume/run-reader.ts";
import { checkConsumer } from "../../shared/kafka/health/check-consumer.ts";
import { checkOutbox } from "../../shared/kafka/health/check-outbox.ts";
import { checkServers } from "../../shared/kafka/health/check-servers.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { bookTraces } from "../../shared/kafka/publish/publish-traces.ts";
import { watchHolds } from "../../shared/kafka/publish/watch-holds.ts";
import { endStaleTransactions } from "../../shared/ledger/postgres/end-stale-transactions.ts";
import { requireBooks } from "../../shared/ledger/postgres/require-books.ts";
import type { DebitOutcome } from "../../shared/ledger/usage/batch.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { batchSize } from "./batch-size.ts";
import { batchTraces, UNTRACED_BATCHES } from "./batch-traces.ts";
import { checkLag } from "./check-lag.ts";
import { lagFollower } from "./follow-lag.ts";
import { lagMetrics } from "./lag-metrics.ts";
import { measuredMeter } from "./measure-batches.ts";
import { type Delivery, meterMessages } from "./meter-messages.ts";
import { meteringMetrics } from "./metering-metrics.ts";
import { topicCheck } from "./watch-topic.ts";
import { usageCompleteWatch } from "./watch-usage-complete.ts";

/** The name of these processes in Postgres and Kafka. */
const NAME = "drawdown-metering";
/** One is priced while Postgres stores the other. */
const CONCURRENT_TRANSACTIONS = 2;
/** The most events of one partition in a transaction. */
const MOST_OF_PARTITION = 40_000;
const PUBLISH_EVERY_MS = 100;
/** Delays expiries and add-on charges, which wait for usage, by at most this. */
const CHECK_ENDS_EVERY_MS = 2_000;
/** The time after which Kafka gives a silent consumer's partitions to others. */
const STALE = { name: NAME, olderThanMs: 10_000 };
const END_STALE_EVERY_MS = 2_000;
const REPORT_EVERY_MS = 10_000;

await runService("metering", async (service) => {
  const { logger, stopping, health, metrics, tracing } = service;
  const { stalledAfterMs } = service.settings.health;
  const { window, batchEvents } = service.settings.metering;
  const servers = openServers(NAME, service, { connections: 6 });
  const { database, admin, registry, waits } = servers;
  const { untilUp } = waits;
  const sleeper = openSleeper(stopping);
  checkServers(health, servers, service.settings.registry);
  checkOutbox(health, database, stalledAfterMs);
  checkLag(health, servers, stalledAfterMs);

  await untilUp("the registry", () => registerSchemas(registry));
  await untilUp("Postgres", () => requireBooks(database));
  await untilUp("Kafka", () => admin.connect());
  const counted = outcomeCount();
  const measured = meteringMetrics(metrics.register);
  const lag = lagFollower();
  lagMetrics(metrics, lag);
  const topicIds = openTopicIds(servers.kafka);
  const checkTopic = topicCheck(database, topicIds);
  const meter = meterMessages({
    ...{ database, admin, window, logger, stopping },
    decoder: openUsageDecoder(registry),
    onCommitted(outcome) {
      measured.committed(outcome);
      counted.add(outcome);
      // Top-ups wait for the low-balance event, so it is published immediately.
      if (outcome.lowBalances > 0) sleeper.wake();
    },
  });
  const size = batchSize(batchEvents);
  const traces = tracing && bookTraces(tracing);
  const traced = tracing && traces ? batchTraces(tracing, traces) : UNTRACED_BATCHES;
  const meterMeasured = measuredMeter(meter, { traced, size, measured, lag });
  const handle = joinBatches(meterMeasured, {
    atOnce: CONCURRENT_TRANSACTIONS,
    most: size.most,
    sizeOf: ({ batch }: Delivery) => batch.count,
    // A consumer that lost a partition and got it back may still have a batch of it.
    keyOf: ({ batch }: Delivery) => batch.partition,
  });
  await untilUp("Kafka", checkTopic);
  const reader = await startReader(servers, USAGE_READER, {
    batchSize: Math.min(batchEvents, MOST_OF_PARTITION),
    form: RECORDS,
    handle: (batch, heartbeat) => handle({ batch, heartbeat }),
  });
  checkConsumer(health, reader.watch);
  health.started();
  logger.info({ topic: TOPICS.usageEvents }, "metering");
  const report = setInterval(() => {
    const news = counted.takeNews();
    if (news !== null) logger.info(news, "metered so far");
  }, REPORT_EVERY_MS);
  const background = Promise.all([
    publishBooks({ ...servers, health, lookEveryMs: PUBLISH_EVERY_MS, sleeper, traces }),
    watchHolds({ ...servers, health }),
    watchEnds(servers, checkTopic, lag.look),
    endStale(servers, logger),
  ]);
  await untilStopped(reader, background, () => clearInterval(report));
  await topicIds.close();
  await servers.close();
});

/** What this process has metered since its start, for its log. */
function outcomeCount() {
  const counted = { metered: 0, repeats: 0, deadLetters: 0, lowBalances: 0 };
  let isNew = false;
  return {
    add({ metered, repeats, deadLetters, lowBalances }: DebitOutcome): void {
      counted.metered += metered;
      counted.repeats += repeats;
      counted.deadLetters += deadLetters;
      counted.lowBalances += lowBalances;
      isNew = true;
    },
    /** All counts; null: nothing was added since they were last taken, so the log would repeat itself. */
    takeNews(): typeof counted | null {
      const taken = isNew ? counted : null;
      isNew = false;
      return taken;
    },
  };
}

/** Marks usage complete that metering has read to the end, of the topic that it has always read. */
function watchEnds(
  { database, admin, waits }: Servers,
  checkTopic: () => Promise<void>,
  onLook: ReturnType<typeof lagFollower>["look"],
): Promise<void> {
  const checkEnds = usageCompleteWatch(database, admin, onLook);
  return waits.repeat("the ends of the usage topic", async () => {
    await checkTopic();
    await checkEnds();
    await waits.pause(CHECK_ENDS_EVERY_MS);
  });
}

function endStale({ database, waits }: Servers, logger: Logger): Promise<void> {
  return waits.repeat("stale transactions", async () => {
    const ended = await endStaleTransactions(database, STALE);
    if (ended > 0) logger.warn({ ended }, "ended transactions of a stalled consumer");
    await waits.pause(END_STALE_EVERY_MS);
  });
}

import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openRegistry } from "../../shared/kafka/codec/registry.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { runService, type ServiceContext } from "../../shared/runtime/run-service.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { usageProof } from "./prove-usage.ts";
import { runByCron } from "./run-by-cron.ts";
import { schedulerRun } from "./scheduler-run.ts";

/** Metering publishes sooner where it runs. */
const PUBLISH_EVERY_MS = 500;

await runService("scheduler", async ({ settings, logger, stopping }: ServiceContext) => {
  const database = openDatabase(settings.database, {
    name: "drawdown-scheduler",
    connections: 4,
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  const waits = retryOutages({ logger, stopping });
  const { cron, proofCron, noticeWithinMs } = settings.scheduler;
  const kafka = openKafka(settings.kafka, "drawdown-scheduler", logger);
  const registry = openRegistry(settings.registry);

  await waits.untilUp("Postgres", () => database.query("SELECT 1"));
  logger.info({ cron, proofCron }, "scheduling");
  const run = schedulerRun({ database, waits, noticeWithinMs, logger, stopping });
  const prove = usageProof({ database, kafka, registry, waits, logger, stopping });
  await Promise.all([
    runByCron(cron, run, stopping),
    runByCron(proofCron, prove, stopping, { later: true }),
    publishBooks({
      database,
      kafka,
      registry,
      waits,
      lookEveryMs: PUBLISH_EVERY_MS,
      sleeper: openSleeper(stopping),
    }),
  ]);
  await database.end();
});

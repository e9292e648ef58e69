import { setTimeout as sleep } from "node:timers/promises";
import { LOW_BALANCE_READER, TOP_UP, TOPICS } from "../../shared/core/text/topics.ts";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openRegistry, registerSchemas } from "../../shared/kafka/codec/registry.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";
import { findStartOffsets } from "../../shared/kafka/consume/start-offsets.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { countLongPending, otherGateway } from "../../shared/ledger/payments/claim.ts";
import { type Database, openDatabase } from "../../shared/ledger/postgres/database.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { paymentCharging } from "./charge-payments.ts";
import { watchCharges } from "./compare-charges.ts";
import { lowBalanceHandler } from "./follow-low-balances.ts";
import { openGateway } from "./gateways/open-gateway.ts";
import type { PaymentGateway } from "./gateways/payment-gateway.ts";
import { recheckLowBalances } from "./recheck-low-balances.ts";
import { readPaymentSettings } from "./settings.ts";
import { openWebhookServer } from "./webhook-server.ts";

const NAME = "drawdown-top-up";
const CONNECTIONS = 12;
const BATCH = 1_000;
const PUBLISH_EVERY_MS = 100;
const LEAVE_WITHIN_MS = 5_000;
const WATCH_EVERY_MS = 10_000;

await runService("top-up", async ({ settings, logger, stopping }) => {
  const payments = readPaymentSettings(process.env);
  const gateway = await openGateway(payments.gateway);
  const database = openDatabase(settings.database, {
    name: NAME,
    connections: CONNECTIONS,
    plans: "of_one_account",
    onError: (error) => logger.warn({ error: error.message }, "lost a connection to Postgres"),
  });
  const kafka = openKafka(settings.kafka, NAME, logger);
  const admin = kafka.admin();
  const registry = openRegistry(settings.registry);
  const waits = retryOutages({ logger, stopping });
  const { untilUp } = waits;

  await untilUp("Postgres", () => refuseMixedBooks(database, gateway));
  await untilUp("the registry", () => registerSchemas(registry));
  await untilUp("Kafka", () => admin.connect());
  const context = { database, gateway, logger, waits, stopping, now: Date.now };
  const charging = paymentCharging(context);
  const onTopUp = charging.wake;
  const webhooks = await openWebhookServer(
    { database, gateway, logger, onPayment: charging.wake },
    payments.webhooks,
  );
  const consumer = await untilUp("Kafka", () =>
    runBatchConsumer(kafka, {
      groupId: TOP_UP,
      topic: TOPICS.lowBalance,
      batchSize: BATCH,
      startAt: (partitions) =>
        untilUp("Postgres and Kafka", () =>
          findStartOffsets(database, admin, LOW_BALANCE_READER, partitions),
        ),
      handle: lowBalanceHandler({ database, waits, onTopUp }),
    }),
  );
  logger.info({ gateway: gateway.name, webhooks: webhooks.url }, "topping up");
  const background = Promise.all([
    charging.run(),
    watchCharges(context),
    recheckLowBalances({ database, waits, onTopUp }),
    publishBooks({
      database,
      kafka,
      registry,
      waits,
      lookEveryMs: PUBLISH_EVERY_MS,
      sleeper: openSleeper(stopping),
    }),
    waits.repeat("long-pending payments", async () => {
      await alarm(database, logger, payments.alarmAfterMs);
      await waits.pause(WATCH_EVERY_MS);
    }),
  ]);
  try {
    await Promise.race([consumer.ended, background]);
  } finally {
    await webhooks.close();
    await Promise.race([consumer.stop(), sleep(LEAVE_WITHIN_MS)]);
  }
  await background;
  await admin.disconnect();
  await database.end();
});

/** A gateway knows nothing of payments made through another, and simulated money must not mix with real. */
async function refuseMixedBooks(database: Database, { name }: PaymentGateway): Promise<void> {
  const other = await otherGateway(database, name);
  if (other === null) return;
  throw new InvalidSettings(
    `PAYMENT_GATEWAY is ${name}, but these books contain payments made through ${other}: point DATABASE_URL at other books, or use ${other}.`,
  );
}

async function alarm(database: Database, logger: Logger, afterMs: number): Promise<void> {
  const { count, since } = await countLongPending(database, Date.now() - afterMs);
  if (since === null) return;
  logger.error(
    { payments: count, since: new Date(since).toISOString() },
    "payments are pending for too long: their outcome at the gateway is unknown",
  );
}

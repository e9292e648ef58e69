import { LOW_BALANCE_READER } from "../../shared/core/text/topics.ts";
import { openServers } from "../../shared/kafka/client/open-servers.ts";
import { registerSchemas } from "../../shared/kafka/codec/registry.ts";
import { MESSAGES } from "../../shared/kafka/consume/batch-forms.ts";
import { startReader, untilStopped } from "../../shared/kafka/consume/run-reader.ts";
import { openSkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import { checkConsumer } from "../../shared/kafka/health/check-consumer.ts";
import { checkOutbox } from "../../shared/kafka/health/check-outbox.ts";
import { checkServers } from "../../shared/kafka/health/check-servers.ts";
import { skippedMetrics } from "../../shared/kafka/health/skipped-metrics.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { bookTraces } from "../../shared/kafka/publish/publish-traces.ts";
import { watchHolds } from "../../shared/kafka/publish/watch-holds.ts";
import { recordChargeLimits } from "../../shared/ledger/payments/charge-limits.ts";
import { countLongPending, otherGateway } from "../../shared/ledger/payments/claim.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { requireBooks } from "../../shared/ledger/postgres/require-books.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { runService } from "../../shared/runtime/run-service.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { paymentCharging } from "./charge-payments.ts";
import { checkPayments } from "./check-payments.ts";
import { lowBalanceHandler } from "./follow-low-balances.ts";
import { kindOf, openGateway } from "./gateways/open-gateway.ts";
import type { PaymentGateway } from "./gateways/payment-gateway.ts";
import { recheckLowBalances } from "./recheck-low-balances.ts";
import { readPaymentSettings } from "./settings.ts";
import { settlingInSets } from "./settle-in-sets.ts";
import { openTopUpLow } from "./top-up-low.ts";
import { chargeWatch, checkCharges } from "./watch-charges.ts";
import { checkGateway, gatewayMetrics, watchGateway } from "./watch-gateway.ts";
import { openWebhookServer } from "./webhook-server.ts";

const POOL = { connections: 12, plans: "of_one_account" } as const;
const BATCH = 1_000;
const PUBLISH_EVERY_MS = 100;
const WATCH_EVERY_MS = 10_000;
/** How long the start waits for the gateway's list; without it, payments wait, and nothing else does. */
const COMPARED_WITHIN_MS = 3_000;

await runService("top-up", async (service) => {
  const { settings, logger, stopping, health, metrics } = service;
  const limitMs = settings.health.stalledAfterMs;
  const payments = readPaymentSettings(process.env);
  const watched = watchGateway(await openGateway(payments.gateway));
  const { gateway } = watched;
  const servers = openServers("drawdown-top-up", service, POOL);
  const { database, admin, registry, waits } = servers;
  const { untilUp } = waits;
  checkServers(health, servers, settings.registry);
  checkOutbox(health, database, limitMs);
  checkGateway(health, watched);
  gatewayMetrics(metrics, watched);
  const pendingMs = payments.alarmAfterMs;
  const charges = chargeWatch({ database, gateway, logger, waits, stopping, now: Date.now });
  const { comparedOn } = charges;
  checkCharges(health, charges);
  checkPayments(health, { database, watched, limitMs, pendingMs, comparedOn, now: Date.now });

  await untilUp("Postgres", () => requireBooks(database));
  await untilUp("Postgres", () => refuseMixedBooks(database, gateway));
  const { minimumCharges } = kindOf(gateway.name);
  await untilUp("Postgres", () => recordChargeLimits(database, minimumCharges, payments.ceilings));
  await untilUp("the registry", () => registerSchemas(registry));
  await untilUp("Kafka", () => admin.connect());
  const context = { database, gateway, logger, waits, stopping, comparedOn, now: Date.now };
  const charging = paymentCharging({ ...context, settle: settlingInSets(context) });
  const topUpLow = openTopUpLow({ database, waits, comparedOn, onTopUp: charging.wake });
  const comparing = charges.run();
  await charges.first(COMPARED_WITHIN_MS);
  const webhooks = await openWebhookServer(
    { database, gateway, logger, onPayment: charging.wake },
    payments.webhooks,
  );
  const skipped = openSkippedRecords(logger);
  skippedMetrics(metrics, skipped);
  const reader = await startReader(servers, LOW_BALANCE_READER, {
    batchSize: BATCH,
    form: MESSAGES,
    handle: lowBalanceHandler({ database, waits, skipped, topUpLow }),
  });
  checkConsumer(health, reader.watch);
  health.work("charging", charging.standsForMs);
  health.started();
  logger.info({ gateway: gateway.name, webhooks: webhooks.url }, "topping up");
  const sleeper = openSleeper(stopping);
  const traces = service.tracing && bookTraces(service.tracing);
  const background = Promise.all([
    charging.run(),
    comparing,
    recheckLowBalances({ database, waits, topUpLow }),
    publishBooks({ ...servers, health, lookEveryMs: PUBLISH_EVERY_MS, sleeper, traces }),
    watchHolds({ ...servers, health }),
    waits.repeat("long-pending payments", async () => {
      await alarm(database, logger, payments.alarmAfterMs);
      await waits.pause(WATCH_EVERY_MS);
    }),
  ]);
  await untilStopped(reader, background, webhooks.close);
  await servers.close();
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

import type { Kafka } from "kafkajs";
import pg from "pg";
import { onTestFinished } from "vitest";
import { TOP_UP_SERVICE } from "../../../infra/local/services.ts";
import { TOP_UP } from "../../../shared/core/text/topics.ts";
import { dismissMembers } from "../kafka/dismiss-members.ts";
import { testKafka } from "../kafka/kafka.ts";
import { DELETABLE, emptyTopics } from "../kafka/usage-topic.ts";
import { hasOwnBroker } from "../stack/brokers.ts";
import { type ServiceProcess, startService } from "./service-process.ts";

export const WEBHOOK_SECRET = "whsec_test";

/**
 * How long to wait for the lock at most: other files may hold it first, for minutes each on a slow
 * machine.
 */
export const TURN_MS = 1_200_000;

/**
 * Lets one test file at a time run top-up services on the shared broker, since they share one group.
 * Returns the function that unlocks it.
 */
export async function takeTopUpGroup(kafka: Kafka): Promise<() => Promise<void>> {
  const lock = new pg.Client({ connectionString: process.env["DATABASE_URL"] });
  await lock.connect();
  const brokers = process.env["KAFKA_BROKERS"] ?? "";
  await lock.query("SELECT pg_advisory_lock(hashtext('top-up group' || $1))", [brokers]);
  await dismissMembers(kafka, brokers, TOP_UP);
  if (hasOwnBroker()) await emptyTopics(kafka, DELETABLE);
  return () => lock.end();
}

interface TopUpOptions {
  readonly databaseUrl: string;
  readonly gatewayUrl: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts the top-up service with a simulated gateway; `says(/^topping up$/)` waits until it is at work.
 * It ends with the test, and leaves its group then, so that the next one need not wait for its partitions.
 */
export function startTopUp(options: TopUpOptions): ServiceProcess {
  const service = topUpProcess(options);
  onTestFinished(async () => {
    await service.kill();
    await dismissMembers(testKafka(), process.env["KAFKA_BROKERS"] ?? "", TOP_UP);
  });
  return service;
}

/** The same, but it outlives the test: the caller ends it. */
export function topUpProcess(options: TopUpOptions): ServiceProcess {
  return startService(
    TOP_UP_SERVICE,
    {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      PAYMENT_GATEWAY: "simulated",
      SIMULATED_GATEWAY_URL: options.gatewayUrl,
      SIMULATED_GATEWAY_WEBHOOK_SECRET: WEBHOOK_SECRET,
      WEBHOOK_PORT: "0",
      ...options.env,
    },
    "test",
  );
}

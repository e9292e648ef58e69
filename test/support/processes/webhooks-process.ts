import type { Kafka } from "kafkajs";
import pg from "pg";
import { onTestFinished } from "vitest";
import { WEBHOOKS_SERVICE } from "../../../infra/local/services.ts";
import { webhookReader } from "../../../shared/core/text/topics.ts";
import { EVENT_TYPES } from "../../../shared/core/webhooks/event-types.ts";
import { dismissMembers } from "../kafka/dismiss-members.ts";
import { DELETABLE, emptyTopics } from "../kafka/usage-topic.ts";
import { hasOwnBroker } from "../stack/brokers.ts";
import { type ServiceProcess, startService } from "./service-process.ts";

/** Removes the members of the webhook service's groups, as Kafka does after a while. */
async function dismissWebhooks(kafka: Kafka): Promise<void> {
  const brokers = process.env["KAFKA_BROKERS"] ?? "";
  for (const type of EVENT_TYPES)
    await dismissMembers(kafka, brokers, webhookReader(type).consumer);
}

/**
 * Lets one test file at a time run webhook services on the shared broker, since they share groups. Returns the
 * function that unlocks it.
 */
export async function takeWebhookGroups(kafka: Kafka): Promise<() => Promise<void>> {
  const lock = new pg.Client({ connectionString: process.env["DATABASE_URL"] });
  await lock.connect();
  const brokers = process.env["KAFKA_BROKERS"] ?? "";
  await lock.query("SELECT pg_advisory_lock(hashtext('webhook groups' || $1))", [brokers]);
  await dismissWebhooks(kafka);
  if (hasOwnBroker()) await emptyTopics(kafka, DELETABLE);
  return () => lock.end();
}

/**
 * Starts the webhook service, which may send to this machine; `says(/^delivering webhooks$/)` waits until it is
 * at work. It ends with the test.
 */
export function startWebhooks(kafka: Kafka, databaseUrl: string): ServiceProcess {
  const service = startService(WEBHOOKS_SERVICE, {
    ...process.env,
    DATABASE_URL: databaseUrl,
    WEBHOOK_ALLOW_PRIVATE: "true",
  });
  onTestFinished(async () => {
    await service.kill();
    await dismissWebhooks(kafka);
  });
  return service;
}

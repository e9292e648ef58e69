import type { Admin, Kafka } from "kafkajs";
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
} from "../../ledger/postgres/database.ts";
import { poolMetrics } from "../../runtime/metrics/pool-metrics.ts";
import type { ServiceContext } from "../../runtime/run-service.ts";
import { openRegistry } from "../codec/open-registry.ts";
import type { Registry } from "../codec/registry.ts";
import { openKafka } from "./kafka-client.ts";
import { type OutageRetry, retryOutages } from "./retry-outages.ts";

/** The servers of a service, and its retries through their outages. */
export interface Servers {
  readonly database: Database;
  readonly kafka: Kafka;
  /** Not connected yet. */
  readonly admin: Admin;
  readonly registry: Registry;
  readonly waits: OutageRetry;
  close(): Promise<void>;
}

/** `name` is the service's in Postgres and Kafka. Nothing is connected yet. */
export function openServers(
  name: string,
  { settings, logger, stopping, metrics }: ServiceContext,
  pool: Pick<DatabaseOptions, "connections" | "plans">,
): Servers {
  const onError = (error: Error) =>
    logger.warn({ error: error.message }, "lost a connection to Postgres");
  const database = openDatabase(settings.database, { ...pool, name, onError });
  poolMetrics(metrics, { main: database });
  const kafka = openKafka(settings.kafka, name, logger);
  const admin = kafka.admin();
  return {
    ...{ database, kafka, admin },
    registry: openRegistry(settings.registry),
    waits: retryOutages({ logger, stopping }),
    async close() {
      await admin.disconnect();
      await database.end();
    },
  };
}

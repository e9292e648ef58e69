import type { Admin, Kafka } from "kafkajs";
import type { Database } from "../../ledger/postgres/database.ts";
import { isReadOnly } from "../../ledger/postgres/replace-connections.ts";
import type { Health } from "../../runtime/health/health.ts";
import type { RegistrySettings } from "../../runtime/server-settings.ts";
import { request, unexpected } from "../codec/registry.ts";

const ANSWERS_WITHIN_MS = 2_000;
/** Finds and locks nothing; a server that only reads refuses it all the same. */
const WRITES = "SELECT FROM consumer_offset WHERE false FOR UPDATE";

/** Checks Postgres through the pool that the service works with, Kafka, and the registry. */
export function checkServers(
  health: Health,
  servers: { readonly database: Database; readonly kafka: Kafka },
  registry: RegistrySettings,
): void {
  const { database, kafka } = servers;
  health.server("postgres", async () => {
    const query = { text: WRITES, query_timeout: ANSWERS_WITHIN_MS };
    try {
      await database.query(query);
      return null;
    } catch (error) {
      if (isReadOnly(error)) return { reason: "it only reads: a standby, or a primary no more" };
      throw error;
    }
  });
  health.server("kafka", kafkaCheck(kafka));
  health.server("registry", async () => {
    const { status } = await request(registry, "GET", "config");
    if (status !== 200) throw unexpected(registry, status, "for its settings");
    return null;
  });
}

/** Asks once, on a connection of its own: the service's own clients try again for a while. */
function kafkaCheck(kafka: Kafka): () => Promise<null> {
  const admin: Admin = kafka.admin({ retry: { retries: 0 } });
  return async () => {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    if (brokers.length === 0) throw new Error("it has no brokers");
    return null;
  };
}

import type { Kafka } from "kafkajs";
import pg from "pg";
import { METERING, TOPICS, USAGE_READER } from "../../../shared/core/text/topics.ts";
import { isKafkaOutage } from "../../../shared/kafka/client/kafka-client.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { eventually } from "../eventually.ts";
import { hasOwnBroker } from "../stack/brokers.ts";
import { dismissMembers } from "./dismiss-members.ts";

/**
 * What a file with a broker of its own may empty: reconciling reads the billing topics whole. Kafka
 * deletes no records of a compacted topic.
 */
export const DELETABLE = Object.values(TOPICS).filter((topic) => topic !== TOPICS.balances);

/**
 * Locks `usage.events` for one test file, empty and without consumers; others wait. The names of the
 * topic and its group are fixed in the services, so only one file at a time can run them. Returns the
 * function that unlocks it.
 */
export async function takeUsageTopic(kafka: Kafka): Promise<() => Promise<void>> {
  const lock = new pg.Client({ connectionString: process.env["DATABASE_URL"] });
  await lock.connect();
  const brokers = process.env["KAFKA_BROKERS"] ?? "";
  await lock.query("SELECT pg_advisory_lock(hashtext('usage.events' || $1))", [brokers]);
  try {
    await dismissMembers(kafka, brokers, METERING);
    await emptyTopics(kafka, hasOwnBroker() ? DELETABLE : [TOPICS.usageEvents]);
  } catch (error) {
    // Otherwise all other files would wait for this one.
    await lock.end();
    throw error;
  }
  return () => lock.end();
}

/** Waits until the books have read every partition to its end. */
export async function untilCaughtUp(
  kafka: Kafka,
  database: Database,
  withinMs = 30_000,
): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await eventually(
      "the books have read all usage",
      async () => {
        // A just restarted broker may have no leader yet.
        const ends = await admin.fetchTopicOffsets(TOPICS.usageEvents).catch((error: unknown) => {
          if (isKafkaOutage(error)) return null;
          throw error;
        });
        if (ends === null) return false;
        const read = await readOffsets(database, USAGE_READER);
        return ends.every(({ partition, high }) => (read.get(partition) ?? -1n) >= BigInt(high));
      },
      withinMs,
    );
  } finally {
    await admin.disconnect();
  }
}

/** Deletes all records; offsets continue, so new books begin where this leaves the topic. */
export async function emptyTopics(kafka: Kafka, topics: readonly string[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (const topic of topics) {
      const offsets = await admin.fetchTopicOffsets(topic);
      const full = offsets.filter(({ low, high }) => low !== high);
      if (full.length === 0) continue;
      const partitions = full.map(({ partition, high }) => ({ partition, offset: high }));
      await admin.deleteTopicRecords({ topic, partitions });
    }
  } finally {
    await admin.disconnect();
  }
}

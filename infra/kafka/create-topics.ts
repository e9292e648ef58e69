import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, ITopicConfig } from "kafkajs";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { isKafkaOutage } from "../../shared/kafka/client/kafka-client.ts";
import type { TopicSettings } from "../../shared/runtime/server-settings.ts";
import { unfitTopics } from "./compare-topics.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Longer than the age of the oldest event that is metered, so that usage can be replayed. */
const USAGE_RETENTION_MS = 40 * DAY_MS;
const BILLING_RETENTION_MS = 40 * DAY_MS;
const BILLING_PARTITIONS = 4;
const LED_WITHIN_MS = 30_000;
const ASK_AGAIN_AFTER_MS = 100;
/** A dead letter contains a whole message and its reason. */
const DEAD_LETTER_MAX_BYTES = 3 << 20;

/**
 * Creates missing topics. Existing ones are not changed: `unfit` has a sentence for each that is not as it would be
 * made.
 */
export async function createTopics(
  admin: Admin,
  settings: TopicSettings,
): Promise<{ readonly created: string[]; readonly unfit: string[] }> {
  const existing = new Set(await admin.listTopics());
  const wanted = topics(settings);
  const missing = wanted.filter(({ topic }) => !existing.has(topic));
  const created = missing.map(({ topic }) => topic);
  if (created.length > 0) {
    await admin.createTopics({ topics: missing, waitForLeaders: false });
    await untilLed(admin, created);
  }
  const unfit = await unfitTopics(
    admin,
    wanted.filter(({ topic }) => existing.has(topic)),
  );
  return { created, unfit };
}

/**
 * A broker learns a moment later what its controller has created, and until then says that it knows no such topic:
 * which ends KafkaJS' own waiting.
 */
async function untilLed(admin: Admin, topics: string[]): Promise<void> {
  const latest = performance.now() + LED_WITHIN_MS;
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics });
      return;
    } catch (error) {
      if (!isKafkaOutage(error) || performance.now() > latest) throw error;
      await sleep(ASK_AGAIN_AFTER_MS);
    }
  }
}

function topics({ usagePartitions, replication }: TopicSettings): ITopicConfig[] {
  const topic = (
    name: string,
    numPartitions: number,
    config: Record<string, string | number>,
  ): ITopicConfig => ({
    topic: name,
    numPartitions,
    replicationFactor: replication,
    configEntries: Object.entries(config).map(([key, value]) => ({
      name: key,
      value: String(value),
    })),
  });
  return [
    topic(TOPICS.usageEvents, usagePartitions, { "retention.ms": USAGE_RETENTION_MS }),
    topic(TOPICS.deadLetters, BILLING_PARTITIONS, {
      "retention.ms": BILLING_RETENTION_MS,
      "max.message.bytes": DEAD_LETTER_MAX_BYTES,
    }),
    ...[
      TOPICS.lowBalance,
      TOPICS.credits,
      TOPICS.topUps,
      TOPICS.payments,
      TOPICS.holds,
      TOPICS.creditsExpiring,
      TOPICS.alerts,
    ].map((name) => topic(name, BILLING_PARTITIONS, { "retention.ms": BILLING_RETENTION_MS })),
    topic(TOPICS.balances, BILLING_PARTITIONS, {
      "cleanup.policy": "compact",
      "min.cleanable.dirty.ratio": 0.1,
    }),
    // Only the newest record says something.
    topic(TOPICS.balancesComplete, 1, { "retention.ms": HOUR_MS, "segment.ms": HOUR_MS }),
  ];
}

/**
 * The floor of latency: consumes and decodes usage events with metering's own consumer and does
 * nothing with them. On SIGTERM prints, as JSON, how many milliseconds after `occurred_at` each came.
 */
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";
import { MESSAGES } from "../../shared/kafka/consume/batch-forms.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const settings = readSettings(process.env);
const kafka = openKafka(settings.kafka, "bare-consumer", createLogger("bare-consumer", "warn"));
const decoder = openUsageDecoder(openRegistry(settings.registry));
const latencies: number[] = [];
process.once("SIGTERM", () => {
  process.stdout.write(`${JSON.stringify(latencies)}\n`, () => process.exit(0));
});
const admin = kafka.admin();
await admin.connect();
const ends = new Map(
  (await admin.fetchTopicOffsets(TOPICS.usageEvents)).map(({ partition, high }) => [
    partition,
    BigInt(high),
  ]),
);
await runBatchConsumer(kafka, {
  groupId: `bare-${process.pid}-${Date.now()}`,
  topic: TOPICS.usageEvents,
  batchSize: settings.metering.batchEvents,
  form: MESSAGES,
  startAt: async () => ends,
  async handle({ partition, messages, nextOffset }) {
    await decoder.learn(messages.map(({ value }) => value));
    for (const { value, offset } of messages) {
      const event = decoder.decode(value, partition, BigInt(offset));
      if (!("reason" in event)) latencies.push(Date.now() - event.occurredAt);
    }
    return nextOffset;
  },
});

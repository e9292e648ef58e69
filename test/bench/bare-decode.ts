/**
 * The floor of reconciling: consume and decode each event, with the same consumer and decoder as
 * metering; nothing is compared. Prints the number of decoded events after each batch.
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
const kafka = openKafka(settings.kafka, "bare-decode", createLogger("bare-decode", "warn"));
const decoder = openUsageDecoder(openRegistry(settings.registry));
const topic = TOPICS.usageEvents;
const admin = kafka.admin();
await admin.connect();
const lows = new Map(
  (await admin.fetchTopicOffsets(topic)).map(({ partition, low }) => [partition, BigInt(low)]),
);
let decoded = 0;
await runBatchConsumer(kafka, {
  groupId: `bare-decode-${process.pid}-${Date.now()}`,
  topic,
  batchSize: settings.metering.batchEvents,
  form: MESSAGES,
  startAt: async () => lows,
  async handle({ partition, messages, nextOffset }) {
    await decoder.learn(messages.map(({ value }) => value));
    for (const { value, offset } of messages) {
      const event = decoder.decode(value, partition, BigInt(offset));
      if ("reason" in event) throw new Error(event.detail);
    }
    decoded += messages.length;
    process.stdout.write(`${decoded}\n`);
    return nextOffset;
  },
});

/**
 * The floor of metering: consume, decode and COPY each event into a table keyed (event id, account),
 * with the same consumer, decoding and COPY code and the same batches; no accounts, no prices, no
 * offsets. Prints the number of stored events after each batch.
 */

import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";
import { MESSAGES } from "../../shared/kafka/consume/batch-forms.ts";
import { inTransaction, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { insertRows } from "../../shared/ledger/postgres/insert-rows.ts";
import { EVENT_COLUMNS, putEvent } from "../../shared/ledger/usage/records.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const [topic = "usage.events"] = process.argv.slice(2);
const settings = readSettings(process.env);
const logger = createLogger("floor", "warn");
const database = openDatabase(settings.database, {
  name: "floor",
  connections: 2,
  onError: (error) => logger.warn(error),
});
const kafka = openKafka(settings.kafka, "floor", logger);
const decoder = openUsageDecoder(openRegistry(settings.registry));
const admin = kafka.admin();
await admin.connect();
const lows = new Map(
  (await admin.fetchTopicOffsets(topic)).map(({ partition, low }) => [partition, BigInt(low)]),
);
const INTO = { table: "floor", columns: EVENT_COLUMNS };
let stored = 0;
await runBatchConsumer(kafka, {
  groupId: `floor-${process.pid}-${Date.now()}`,
  topic,
  batchSize: settings.metering.batchEvents,
  form: MESSAGES,
  startAt: async () => lows,
  async handle({ partition, messages, nextOffset }) {
    await decoder.learn(messages.map(({ value }) => value));
    const events = messages.map(({ value, offset }) => {
      const event = decoder.decode(value, partition, BigInt(offset));
      if ("reason" in event) throw new Error(event.detail);
      return event;
    });
    await inTransaction(database, (transaction) => insertRows(transaction, INTO, events, putEvent));
    stored += messages.length;
    process.stdout.write(`${stored}\n`);
    return nextOffset;
  },
});

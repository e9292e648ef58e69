/**
 * The floor on the cheapest path: as floor.ts, but records are decoded into columns, without an object an
 * event. Prints the number of stored events after each batch.
 */

import {
  eventIdAt,
  NO_DIMENSIONS,
  type UsageColumns,
} from "../../shared/core/usage/usage-columns.ts";
import { openKafka } from "../../shared/kafka/client/kafka-client.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openUsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { keepNames } from "../../shared/kafka/codec/usage-names.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";
import { RECORDS } from "../../shared/kafka/consume/batch-forms.ts";
import { decodeColumns, valueOfEachSchema } from "../../shared/kafka/consume/decode-columns.ts";
import { inTransaction, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { insertRows, type RowWriter } from "../../shared/ledger/postgres/insert-rows.ts";
import { EVENT_COLUMNS } from "../../shared/ledger/usage/records.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const [topic = "usage.events"] = process.argv.slice(2);
const settings = readSettings(process.env);
const { batchEvents, window } = settings.metering;
const logger = createLogger("lean-floor", "warn");
const database = openDatabase(settings.database, {
  name: "lean-floor",
  connections: 2,
  onError: (error) => logger.warn(error),
});
const kafka = openKafka(settings.kafka, "lean-floor", logger);
const decoder = openUsageDecoder(openRegistry(settings.registry));
const names = keepNames();
const admin = kafka.admin();
await admin.connect();
const lows = new Map(
  (await admin.fetchTopicOffsets(topic)).map(({ partition, low }) => [partition, BigInt(low)]),
);
const INTO = { table: "floor", columns: EVENT_COLUMNS };
let stored = 0;
await runBatchConsumer(kafka, {
  groupId: `lean-floor-${process.pid}-${Date.now()}`,
  topic,
  batchSize: batchEvents,
  form: RECORDS,
  startAt: async () => lows,
  async handle(batch) {
    await decoder.learn(valueOfEachSchema([batch]));
    const reading = { decoder, now: Date.now(), window };
    const { columns, runs } = decodeColumns([batch], names(), reading);
    const [unfit] = runs.flatMap(({ deadLetters }) => deadLetters);
    if (unfit !== undefined) throw new Error(unfit.rejection.detail);
    if (columns.plain.size > 0) throw new Error("the load has events that do not fit into columns");
    const places = Array.from({ length: columns.count }, (_, place) => place);
    await inTransaction(database, (transaction) =>
      insertRows(transaction, INTO, places, (rows, place) => putEvent(rows, columns, place)),
    );
    stored += columns.count;
    process.stdout.write(`${stored}\n`);
    return batch.nextOffset;
  },
});

function putEvent(rows: RowWriter, columns: UsageColumns, place: number): void {
  const { names, account, meter, quantity, occurredAt, source, dimensions } = columns;
  rows.text(eventIdAt(columns, place));
  rows.text(names.accounts.valueOf(account[place] ?? -1));
  rows.text(names.meters.valueOf(meter[place] ?? -1));
  rows.int8(BigInt(quantity[place] ?? 0));
  rows.timestamptz(occurredAt[place] ?? 0);
  rows.text(names.sources.valueOf(source[place] ?? -1));
  if (dimensions[place] === NO_DIMENSIONS) rows.null();
  else rows.jsonb(JSON.stringify(names.dimensions.valueOf(dimensions[place] ?? -1)));
}

/**
 * A consumer of the billing topics: stores each entry and each low balance once, however often Kafka
 * delivers it. What was handled is stored with what it caused, in one transaction. A record that cannot
 * be read is skipped with a word about where it is; while the registry is down, nothing is.
 */
import { DatabaseSync } from "node:sqlite";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avro from "avsc";
import kafkajs, { type KafkaMessage } from "kafkajs";

const {
  KAFKA_BROKERS = "127.0.0.1:9092",
  KAFKA_GROUP = "example-consumer",
  SCHEMA_REGISTRY_URL = "http://127.0.0.1:8081/apis/ccompat/v7",
  DATABASE = "consumer.db",
} = process.env;
const TOPICS = ["billing.credits", "billing.low-balance"];

const database = new DatabaseSync(DATABASE);
database.exec(`
  CREATE TABLE IF NOT EXISTS handled (
    topic TEXT, account_id TEXT, sequence INTEGER, PRIMARY KEY (topic, account_id)
  );
  CREATE TABLE IF NOT EXISTS notice (topic TEXT, account_id TEXT, sequence INTEGER, record TEXT);`);
const handle = database.prepare(`
  INSERT INTO handled VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE sequence < excluded.sequence`);
const store = database.prepare("INSERT INTO notice VALUES (?, ?, ?, ?)");

/** Amounts are longs, which may be larger than a number is exact. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => Number(a > b) - Number(a < b),
});
const registry = new SchemaRegistry(
  { host: SCHEMA_REGISTRY_URL },
  { [SchemaType.AVRO]: { registry: { long } } },
);

const kafka = new kafkajs.Kafka({
  brokers: KAFKA_BROKERS.split(","),
  clientId: "example-consumer",
});
const consumer = kafka.consumer({ groupId: KAFKA_GROUP });
await consumer.connect();
await consumer.subscribe({ topics: TOPICS, fromBeginning: true });
await consumer.run({
  eachMessage: ({ topic, partition, message }) => onMessage(topic, partition, message),
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => consumer.disconnect().then(() => process.exit(0)));
}

async function onMessage(topic: string, partition: number, message: KafkaMessage): Promise<void> {
  const { key, value, headers, offset } = message;
  const sequence = String(headers?.["sequence"]);
  const text = key && value && /^\d{1,18}$/.test(sequence) ? await read(value) : null;
  if (key === null || text === null) {
    console.error(`skipped ${topic}/${partition} at ${offset}: it cannot be read`);
    return;
  }
  const accountId = key.toString();
  database.exec("BEGIN");
  const isNew = handle.run(topic, accountId, BigInt(sequence)).changes > 0;
  if (isNew) store.run(topic, accountId, BigInt(sequence), text);
  database.exec("COMMIT");
  if (isNew) console.log(`${topic} ${accountId} ${sequence} ${text}`);
}

/** Null: it is no Avro, or its schema is unknown. Other errors are outages, after which Kafka delivers it again. */
async function read(value: Buffer): Promise<string | null> {
  if (value.length < 5 || value[0] !== 0) return null;
  const schema = await registry.getSchema(value.readInt32BE(1)).catch(unlessUnknown);
  try {
    return schema && JSON.stringify(schema.fromBuffer(value.subarray(5)), longsAsText);
  } catch {
    return null;
  }
}

/** A registry answers 404 for an id that it does not have, and 422 for one that cannot be. */
function unlessUnknown(error: unknown): null {
  const status = error instanceof Error && "status" in error ? error.status : null;
  if (status === 404 || status === 422) return null;
  throw error;
}

function longsAsText(_: string, field: unknown): unknown {
  return typeof field === "bigint" ? String(field) : field;
}

/**
 * A consumer of the billing topics: stores each entry and each low balance once, however often Kafka
 * delivers it. What was handled is stored with what it caused, in one transaction.
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
await consumer.run({ eachMessage: ({ topic, message }) => onMessage(topic, message) });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => consumer.disconnect().then(() => process.exit(0)));
}

async function onMessage(topic: string, { key, value, headers }: KafkaMessage): Promise<void> {
  if (key === null || value === null) return;
  const accountId = key.toString();
  const sequence = BigInt(String(headers?.["sequence"]));
  const text = JSON.stringify(await registry.decode(value), (_, field: unknown) =>
    typeof field === "bigint" ? String(field) : field,
  );
  database.exec("BEGIN");
  const isNew = handle.run(topic, accountId, sequence).changes > 0;
  if (isNew) store.run(topic, accountId, sequence, text);
  database.exec("COMMIT");
  if (isNew) console.log(`${topic} ${accountId} ${sequence} ${text}`);
}

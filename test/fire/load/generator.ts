import { setTimeout as wait } from "node:timers/promises";
import {
  Kafka,
  logLevel,
  type Message,
  Partitioners,
  type Producer,
  type RecordMetadata,
} from "kafkajs";
import type { Random } from "../../model/random.ts";
import type { FireAccount } from "./accounts.ts";
import type { Api } from "./api.ts";
import { codecOf, framed } from "./avro.ts";
import { eventDrawer } from "./draw-events.ts";
import { isUsage, type Planned, type PlannedUsage, type Usage } from "./event.ts";
import type { Journal } from "./journal.ts";

const TICK_MS = 200;
const AGAIN_MS = 500;
/** Beyond as many unacknowledged batches nothing new is drawn. */
const MOST_UNDER_WAY = 50;
/** Of the fresh events, in percent. */
const OVER_HTTP = 10;
const MAY_COME_AGAIN: ReadonlySet<Planned["kind"]> = new Set(["fresh", "late"]);
/** The producer notices partitions that were added. */
const METADATA_MS = 5_000;

export interface Generator {
  readonly schemaId: number;
  /** Why what was drawn was not published: requests that the API refused for good. */
  readonly refused: readonly string[];
  /**
   * Publishes these beside the load, until Kafka has acknowledged them; where `partition` is given,
   * there. Returns the places of the attempt that was acknowledged.
   */
  publish(usage: readonly Placed[]): Promise<RecordMetadata[]>;
  /** From now on. */
  setRate(eventsPerSecond: number): void;
  /** Draws no more, and resolves when everything drawn is acknowledged. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface Placed {
  readonly usage: Usage;
  readonly partition?: number;
}

export interface GeneratorOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly accounts: readonly FireAccount[];
  readonly random: Random;
  readonly journal: Journal;
  readonly api: Api;
  readonly eventsPerSecond: number;
  /** What the clocks of the services show. */
  now(): number;
}

/** Publishes until it is stopped. Whatever was drawn is sent again until it is acknowledged. */
export async function startGenerator(options: GeneratorOptions): Promise<Generator> {
  const { env, accounts, random, journal, api } = options;
  let { eventsPerSecond } = options;
  const codec = await codecOf("usage-event");
  const schemaId = await latestSchemaId(env["SCHEMA_REGISTRY_URL"] ?? "");
  const drawer = eventDrawer({ random, accounts, codec, schemaId });
  const producer = await openProducer(env["KAFKA_BROKERS"] ?? "");
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const refused: string[] = [];

  function messageOf(planned: Planned): Message {
    return isUsage(planned)
      ? { key: planned.usage.account_id, value: framed(schemaId, codec.toBuffer(planned.usage)) }
      : { key: planned.key, value: planned.bytes };
  }

  async function overKafka(batch: readonly Planned[]): Promise<void> {
    for (const planned of batch) journal.add(planned, "kafka");
    const messages = batch.map(messageOf);
    while ((await send(producer, messages)) === null) await wait(AGAIN_MS);
    for (const planned of batch) {
      if (isUsage(planned) && MAY_COME_AGAIN.has(planned.kind)) drawer.acknowledge(planned.usage);
    }
  }

  async function overHttp(batch: readonly PlannedUsage[]): Promise<void> {
    if (batch.length === 0) return;
    for (const planned of batch) journal.add(planned, "http");
    await api.must(
      "POST",
      "/v1/events",
      batch.map(({ usage }) => cloudEvent(usage)),
    );
    for (const { usage } of batch) drawer.acknowledge(usage);
  }

  function track(work: Promise<void>): void {
    const tracked = work
      .catch((error: Error) => void refused.push(error.message))
      .finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  }

  function tick(due: number): void {
    const now = options.now();
    const drawn = Array.from({ length: due }, () => drawer.next(now));
    const http: PlannedUsage[] = [];
    const kafka: Planned[] = [];
    for (const planned of drawn) {
      if (planned.kind === "fresh" && random.whole(100) < OVER_HTTP) {
        http.push({ ...planned, usage: { ...planned.usage, source: "http", dimensions: {} } });
      } else kafka.push(planned);
    }
    track(overKafka(kafka));
    track(overHttp(http));
  }

  const drawing = (async () => {
    for (let next = performance.now(); !stopping.signal.aborted; ) {
      if (underWay.size < MOST_UNDER_WAY) tick(Math.ceil((eventsPerSecond * TICK_MS) / 1000));
      // Drawing many takes a good part of a tick itself. What is missed is not made up for.
      next = Math.max(next + TICK_MS, performance.now());
      const left = next - performance.now();
      await wait(left, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    ...{ schemaId, refused },
    async publish(placed) {
      const planned = placed.map(({ usage }) => ({ kind: "fresh", usage }) as const);
      for (const one of planned) journal.add(one, "kafka");
      const messages = placed.map(({ usage, partition }) => ({
        ...messageOf({ kind: "fresh", usage }),
        ...(partition === undefined ? {} : { partition }),
      }));
      for (;;) {
        const sent = await send(producer, messages);
        if (sent !== null && placed.every(({ partition }) => isAmong(sent, partition))) return sent;
        await wait(AGAIN_MS);
      }
    },
    setRate(next) {
      eventsPerSecond = next;
    },
    async stop() {
      stopping.abort();
      await drawing;
      await Promise.all(underWay);
    },
    async close() {
      stopping.abort();
      await producer.disconnect();
    },
  };
}

async function openProducer(brokers: string): Promise<Producer> {
  const kafka = new Kafka({
    clientId: "fire-load",
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { retries: 2 },
  });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MS,
  });
  await producer.connect();
  return producer;
}

/** KafkaJS leaves out what goes to a partition that it does not know yet, and says nothing. */
function isAmong(sent: readonly RecordMetadata[], partition: number | undefined): boolean {
  return partition === undefined || sent.some((place) => place.partition === partition);
}

/** Null: whether Kafka has them is unknown. */
async function send(producer: Producer, messages: Message[]): Promise<RecordMetadata[] | null> {
  try {
    return await producer.send({ topic: "usage.events", messages, acks: -1 });
  } catch {
    await producer.connect().catch(() => undefined);
    return null;
  }
}

async function latestSchemaId(registry: string): Promise<number> {
  const response = await fetch(`${registry}/subjects/usage.events-value/versions/latest`);
  if (!response.ok) throw new Error(`the registry answered ${response.status}`);
  return ((await response.json()) as { id: number }).id;
}

function cloudEvent({ event_id, account_id, meter, quantity, occurred_at, source }: Usage): object {
  return {
    ...{ specversion: "1.0", id: event_id, source, type: meter, subject: account_id },
    time: new Date(Number(occurred_at)).toISOString(),
    data: { quantity: String(quantity) },
  };
}

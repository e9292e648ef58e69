import { setTimeout as wait } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import { codecOfSchema, framed } from "../fire/load/avro.ts";
import { rawProducer } from "../support/kafka/kafka.ts";

const TICK_MS = 100;
const EACH_TICK = 2;
/** Every so many events come twice. */
const TWICE = 7;

/** Usage that product services publish without a pause, each with the schema of its version. */
export interface Load {
  /** The quantity of each event that Kafka has acknowledged, by its id. */
  readonly sent: ReadonlyMap<string, bigint>;
  /** Adds a product service that publishes with this schema from now on. */
  add(schema: string): void;
  /** Resolves when everything is acknowledged. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly kafka: Kafka;
  readonly registry: string;
  readonly accounts: readonly string[];
  readonly meter: string;
}

/** Nothing is published before a service is added. */
export async function openLoad({ kafka, registry, accounts, meter }: LoadOptions): Promise<Load> {
  const producer = await rawProducer(kafka);
  const sent = new Map<string, bigint>();
  const stopping = new AbortController();
  const services: Promise<void>[] = [];

  async function publish(source: string, schema: string): Promise<void> {
    const [codec, id] = [codecOfSchema(schema), await idOf(registry, schema)];
    for (let count = 0; !stopping.signal.aborted; ) {
      const events = accounts.flatMap((account) =>
        Array.from({ length: EACH_TICK }, () => {
          count += 1;
          return { id: `${source}-${count}`, account, quantity: BigInt(1 + (count % 9)) };
        }),
      );
      const messages = events.flatMap(({ id: event_id, account, quantity }, at) => {
        const value = framed(
          id,
          codec.toBuffer({
            ...{ event_id, account_id: account, meter, quantity, source },
            ...{ occurred_at: BigInt(Date.now()), dimensions: { team: "red" } },
          }),
        );
        const message = { key: account, value };
        return at % TWICE === 0 ? [message, message] : [message];
      });
      await producer.send({ topic: "usage.events", messages, acks: -1 });
      for (const event of events) sent.set(event.id, event.quantity);
      await wait(TICK_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  return {
    sent,
    add(schema) {
      services.push(publish(`service-${services.length + 1}`, schema));
    },
    async stop() {
      stopping.abort();
      await Promise.all(services);
      await producer.disconnect();
    },
  };
}

/** The id under which the registry has a schema, registered as a client does it. */
async function idOf(registry: string, schema: string): Promise<number> {
  const response = await fetch(`${registry}/subjects/usage.events-value/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schema }),
  });
  if (!response.ok) throw new Error(`the registry answered ${response.status}`);
  return ((await response.json()) as { id: number }).id;
}

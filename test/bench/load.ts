import { randomUUID } from "node:crypto";
import kafkajs, { type Kafka, type Message } from "kafkajs";
import { eventIds } from "../../shared/client/event-ids.ts";
import { openEncoder } from "../../shared/kafka/codec/encoder.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import type { RegistrySettings } from "../../shared/runtime/server-settings.ts";

/** Event ids that sort by time, as the client makes them, or random ones. */
export type IdVersion = "v7" | "v4";

/** A backlog of usage events: their number, their accounts, and the share sent twice. */
export interface Load {
  readonly events: number;
  readonly accounts: number;
  /** Of 100 events, the number sent again later, anywhere in what follows. */
  readonly repeatsPercent: number;
  /** Default: v7. */
  readonly ids?: IdVersion;
  /** The events are of `llm.tokens`, each of one of these dimensions; default: of two meters, without any. */
  readonly dimensions?: readonly Readonly<Record<string, string>>[];
  /** Each event has a quantity of each of these meters, too; default: none. */
  readonly furtherMeters?: readonly string[];
  /** Each event uses the hold `run-of-<account>`; default: none. */
  readonly ofHolds?: boolean;
  /** The headers of a message; default: none. */
  readonly headers?: () => Readonly<Record<string, string>>;
}

export const TOKENS = "llm.tokens";

export const METERS = ["llm.input_tokens", "llm.output_tokens"] as const;

export function accountName(index: number): string {
  return `account-${index.toString().padStart(7, "0")}`;
}

const CHUNK = 5_000;

/** Empties a topic (offsets continue) and publishes a backlog to it. Returns its number of messages. */
export async function publishBacklog(
  kafka: Kafka,
  registry: RegistrySettings,
  topic: string,
  load: Load,
): Promise<number> {
  await emptyTopic(kafka, topic);
  const encode = await openEncoder(openRegistry(registry), SCHEMAS.usageEvents);
  const producer = kafka.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 5 },
  });
  await producer.connect();
  const newId = load.ids === "v4" ? () => randomUUID() : eventIds();
  const random = seededRandom(load.events + load.accounts);
  const toRepeat: Message[] = [];
  let sent = 0;
  for (let made = 0; made < load.events; made += CHUNK) {
    const now = Date.now();
    const messages = Array.from({ length: Math.min(CHUNK, load.events - made) }, () => {
      const accountId = accountName(random(load.accounts));
      const { dimensions } = load;
      const value = encode({
        event_id: newId(now),
        account_id: accountId,
        meter: dimensions === undefined ? METERS[random(METERS.length)] : TOKENS,
        quantity: BigInt(1 + random(5_000)),
        occurred_at: now,
        source: "bench",
        dimensions: dimensions?.[random(dimensions.length)] ?? {},
        quantities: Object.fromEntries(
          load.furtherMeters?.map((meter) => [meter, BigInt(1 + random(5_000))]) ?? [],
        ),
        hold_id: load.ofHolds ? `run-of-${accountId}` : null,
      });
      const message = { key: accountId, value, ...(load.headers && { headers: load.headers() }) };
      if (random(100) < load.repeatsPercent) toRepeat.push(message);
      return message;
    });
    // Repeats come from anywhere in what was sent so far, mostly long ago.
    const repeats = toRepeat.splice(
      random(Math.max(1, toRepeat.length - 200)),
      toRepeat.length > 2_000 ? 250 : 0,
    );
    await producer.send({ topic, messages: [...messages, ...repeats] });
    sent += messages.length + repeats.length;
  }
  await producer.disconnect();
  return sent;
}

async function emptyTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  const partitions = offsets
    .filter(({ low, high }) => low !== high)
    .map(({ partition, high }) => ({ partition, offset: high }));
  if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
  await admin.disconnect();
}

/** Whole numbers below `limit`, the same for the same seed (xorshift32). */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

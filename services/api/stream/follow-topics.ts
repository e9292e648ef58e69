import { randomUUID } from "node:crypto";
import type { Consumer, Kafka, KafkaMessage } from "kafkajs";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import type { Registry } from "../../../shared/kafka/codec/registry.ts";

/** What a topic tells of an account. */
export interface Told {
  readonly topic: string;
  readonly accountId: string;
  readonly sequence: bigint;
  readonly record: Readonly<Record<string, unknown>>;
}

export interface FollowedTopics {
  /** Rejects with what ended it; resolves after `stop`. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const FOLLOWED = [TOPICS.balances, TOPICS.credits, TOPICS.topUps];
const MAX_WAIT_MS = 100;
const MAX_BYTES = 4 << 20;

/**
 * Reads what the billing topics tell from now on, once for the whole process and however many listen.
 * It keeps no place: what was told while it was away is gone for it, which `onGap` says, once nothing
 * is missed any more. Resolves when it hears all that is told.
 */
export async function followTopics(
  kafka: Kafka,
  registry: Registry,
  listener: { onTold(told: Told): void; onGap(): void },
): Promise<FollowedTopics> {
  const consumer = kafka.consumer({
    groupId: `api-${randomUUID()}`,
    maxWaitTimeInMs: MAX_WAIT_MS,
    maxBytes: MAX_BYTES,
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) reject(payload.error);
  });
  const hearing = onHearing(consumer, () => listener.onGap());
  await consumer.connect();
  await consumer.subscribe({ topics: FOLLOWED, fromBeginning: false });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: FOLLOWED.length,
    eachMessage: async ({ topic, message }) => {
      const told = await read(topic, message);
      if (told !== null) listener.onTold(told);
    },
  });
  await Promise.race([hearing, ended]);
  return {
    ended,
    async stop() {
      await consumer.disconnect();
      resolve();
    },
  };

  async function read(topic: string, { key, value, headers }: KafkaMessage): Promise<Told | null> {
    const sequence = headers?.["sequence"]?.toString();
    if (key === null || value === null || sequence === undefined) return null;
    const record: unknown = await registry.decode(value);
    if (typeof record !== "object" || record === null) return null;
    return { topic, accountId: key.toString(), sequence: BigInt(sequence), record: { ...record } };
  }
}

/**
 * A member of the group learns where the topics end with the first fetch after it joined, and only
 * what comes after that is heard. Calls `then` at each such point; resolves at the first.
 */
function onHearing(consumer: Consumer, then: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { GROUP_JOIN, FETCH_START, FETCH } = consumer.events;
  let state: "joined" | "fetching" | "hearing" = "hearing";
  consumer.on(GROUP_JOIN, () => {
    state = "joined";
  });
  consumer.on(FETCH_START, () => {
    if (state === "joined") state = "fetching";
  });
  consumer.on(FETCH, () => {
    if (state !== "fetching") return;
    state = "hearing";
    then();
    resolve();
  });
  return promise;
}

import { randomUUID } from "node:crypto";
import type { Consumer, Kafka, KafkaMessage } from "kafkajs";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { REBALANCE_TIMEOUT_MS } from "../../../shared/kafka/client/kafka-client.ts";
import { readKey } from "../../../shared/kafka/codec/read-key.ts";
import type { SkippedRecords } from "../../../shared/kafka/consume/skipped-records.ts";
import { type ConsumerWatch, watchConsumer } from "../../../shared/kafka/consume/watch-consumer.ts";
import { openConsumer } from "../../../shared/kafka/patches/read-every-batch.ts";

export interface FollowedTopics {
  /** Resolves after `stop`; rejects if the consumer crashes. */
  readonly ended: Promise<void>;
  readonly watch: ConsumerWatch;
  stop(): Promise<void>;
}

const FOLLOWED = [TOPICS.balances, TOPICS.credits, TOPICS.topUps];
/** Kafka answers as soon as it has anything; when it has not, each fetch costs both sides. */
const MAX_WAIT_MS = 500;
const MAX_BYTES = 4 << 20;

/**
 * Consumes the billing topics from their ends, once for all streams of the process. A record's key only
 * says which account to read from the books: its value is not read, so no record can show a wrong number
 * or end the process. It commits no offsets: after a break it has missed records, and calls `onGap` as
 * soon as it receives again. Resolves when it receives every new record.
 */
export async function followTopics(
  kafka: Kafka,
  listener: { onChange(accountId: AccountId): void; onGap(): void },
  skipped: Pick<SkippedRecords, "skip">,
): Promise<FollowedTopics> {
  const consumer = openConsumer(kafka, {
    groupId: `api-${randomUUID()}`,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    maxWaitTimeInMs: MAX_WAIT_MS,
    maxBytes: MAX_BYTES,
  });
  const watch = watchConsumer(consumer);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) reject(payload.error);
  });
  const receiving = onReceiving(consumer, () => listener.onGap());
  await consumer.connect();
  await consumer.subscribe({ topics: FOLLOWED, fromBeginning: false });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: FOLLOWED.length,
    eachMessage: async ({ topic, partition, message }) => receive(topic, partition, message),
  });
  await Promise.race([receiving, ended]);
  return {
    ended,
    watch,
    async stop() {
      await consumer.disconnect();
      resolve();
    },
  };

  function receive(topic: string, partition: number, { key, offset }: KafkaMessage): void {
    const named = readKey(key);
    if (typeof named === "string") listener.onChange(named);
    else skipped.skip({ topic, partition, offset, ...named });
  }
}

/**
 * A consumer receives only what is published after its first fetch since it joined the group. Calls
 * `then` after each such fetch; resolves after the first.
 */
function onReceiving(consumer: Consumer, then: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { GROUP_JOIN, FETCH_START, FETCH } = consumer.events;
  let state: "joined" | "fetching" | "receiving" = "receiving";
  consumer.on(GROUP_JOIN, () => {
    state = "joined";
  });
  consumer.on(FETCH_START, () => {
    if (state === "joined") state = "fetching";
  });
  consumer.on(FETCH, () => {
    if (state !== "fetching") return;
    state = "receiving";
    then();
    resolve();
  });
  return promise;
}

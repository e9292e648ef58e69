import type { Kafka } from "kafkajs";
import { onTestFinished } from "vitest";
import { followTopics } from "../../../services/api/stream/follow-topics.ts";
import type { Listeners } from "../../../services/api/stream/listeners.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import {
  openSkippedRecords,
  type SkippedRecords,
} from "../../../shared/kafka/consume/skipped-records.ts";
import { openFencedPublisher } from "../../../shared/kafka/publish/fenced-publisher.ts";
import { relayOutbox } from "../../../shared/kafka/publish/outbox-relay.ts";
import { publishBalances } from "../../../shared/kafka/publish/publish-balances.ts";
import { openPublisher, type Publisher } from "../../../shared/kafka/publish/publisher.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import type { Books } from "../books/books.ts";
import { silent, testKafka } from "../kafka/kafka.ts";
import { listenersOf, makeKey, testServer } from "./api.ts";

const { registry } = readSettings(process.env);

/** The API, listening and following the billing topics, with a key that has every scope. */
export interface LiveServer {
  readonly origin: string;
  readonly key: string;
  readonly listeners: Listeners;
  readonly skipped: SkippedRecords;
  /** Cuts all connections, as a network does; new ones work. */
  loseConnections(): void;
}

/** Serves the API on real Kafka, as its main does; closed when the test is over. */
export async function serveLive(books: Books, kafka: Kafka = testKafka()): Promise<LiveServer> {
  const listeners = listenersOf(books);
  const skipped = openSkippedRecords(silent);
  const topics = await followTopics(kafka, listeners, skipped);
  onTestFinished(() => topics.stop());
  const app = await testServer(books, { listeners, skipped });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    ...{ origin, key: await makeKey(books, ["admin"]), listeners, skipped },
    loseConnections: () => app.server.closeAllConnections(),
  };
}

/** Publishes the pending records of the books, each of them `times` times. */
export async function publishPending({ database }: Books, times = 1): Promise<void> {
  const [kafka, schemas] = [testKafka(), openRegistry(registry)];
  const relay = openPublisher(kafka, schemas);
  const balances = openFencedPublisher(kafka, schemas, `published-${crypto.randomUUID()}`);
  const repeating = (publisher: Publisher): Pick<Publisher, "publish"> => ({
    async publish(records) {
      for (let count = 0; count < times; count += 1) await publisher.publish(records);
    },
  });
  try {
    while (await relayOutbox(database, { ...relay, ...repeating(relay) }));
    while ((await publishBalances(database, { ...balances, ...repeating(balances) })) === null);
  } finally {
    await Promise.all([relay.close(), balances.close()]);
  }
}

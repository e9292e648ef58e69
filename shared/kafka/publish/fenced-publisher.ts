import kafkajs, { type Kafka, type Producer, type Transaction } from "kafkajs";
import type { Registry } from "../codec/registry.ts";
import { connect, openRequests, type Publisher } from "./publisher.ts";

/**
 * A publisher of a role that one process has at a time. Once one has begun, Kafka refuses what those that
 * had the role before it still send, however late it arrives.
 */
export interface FencedPublisher extends Publisher {
  /**
   * Call before reading what to publish: whoever reads something newer then fences this publisher. Throws
   * Fenced.
   */
  begin(): Promise<void>;
  /** Publishes between `begin` and `commit`. Throws Fenced. */
  publish: Publisher["publish"];
  /** Resolves when readers see all that was published since `begin`. Throws Fenced. */
  commit(): Promise<void>;
}

/** Another has the role since this publisher began; nothing since then was published. Begin again. */
export class Fenced extends Error {}

/** Of a producer whose transactional id has a newer one, or whose transaction took too long. */
const FENCED = new Set([
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
  "INVALID_TXN_STATE",
]);

/** Postgres ends the transaction beside it after ten idle seconds. */
const TRANSACTION_TIMEOUT_MS = 20_000;
/** Kafka finishes the transaction before for some milliseconds while the next one begins. */
const RETRY = { initialRetryTime: 20 };

/** The role is Kafka's transactional id. After an error the producer is replaced, and with it the epoch. */
export function openFencedPublisher(
  kafka: Kafka,
  registry: Pick<Registry, "register">,
  role: string,
): FencedPublisher {
  const requestsOf = openRequests(registry);
  let connected: Promise<Producer> | null = null;
  let transaction: Transaction | null = null;

  async function disconnect(): Promise<void> {
    const producer = await connected?.catch(() => null);
    connected = null;
    transaction = null;
    await producer?.disconnect();
  }

  async function orReplace<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await disconnect().catch(() => undefined);
      throw isFenced(error)
        ? new Fenced(`another publisher is ${role} now`, { cause: error })
        : error;
    }
  }

  function begun(): Transaction {
    if (transaction === null) throw new Error(`${role} publishes without having begun`);
    return transaction;
  }

  return {
    begin: () =>
      orReplace(async () => {
        connected ??= connectAs(kafka, role);
        const producer = await connected;
        // Asks Kafka for an epoch once for each producer.
        transaction ??= await producer.transaction();
      }),
    publish: (records) =>
      orReplace(async () => {
        for await (const request of requestsOf(records)) await begun().sendBatch(request);
      }),
    commit: () =>
      orReplace(async () => {
        await begun().commit();
        transaction = null;
      }),
    close: disconnect,
  };
}

function connectAs(kafka: Kafka, transactionalId: string): Promise<Producer> {
  const transactionTimeout = TRANSACTION_TIMEOUT_MS;
  return connect(kafka, { transactionalId, transactionTimeout, retry: RETRY });
}

function isFenced(error: unknown): boolean {
  return error instanceof kafkajs.KafkaJSProtocolError && FENCED.has(error.type);
}

import { randomUUID } from "node:crypto";
import type { Admin } from "kafkajs";
import { TOPICS } from "../core/text/topics.ts";
import { type KafkaLog, openKafka } from "../kafka/client/kafka-client.ts";
import { openBillingReader, openValueReader } from "../kafka/codec/billing-records.ts";
import { openRegistry } from "../kafka/codec/open-registry.ts";
import { SCHEMAS } from "../kafka/codec/schemas.ts";
import { MESSAGES } from "../kafka/consume/batch-forms.ts";
import { type PartitionReader, readPartitions } from "../kafka/consume/partition-reader.ts";
import { refusalOf } from "../kafka/records/refused-batch.ts";
import type { KnownBalances } from "./known-balances.ts";
import type { KnownBudgets } from "./known-budgets.ts";
import type { UsageClientOptions } from "./usage-client.ts";

export interface FollowedBalances {
  /** Rejects with what ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** What is read of a BalanceChanged. */
interface Balance {
  readonly account_id: string;
  readonly version: bigint;
  readonly balance: bigint;
  readonly held: bigint;
  readonly overdraft: bigint | null;
  readonly budgets: readonly KnownBudgets[] | null;
}

/** What is read of a BalancesComplete. */
interface Complete {
  readonly until: number;
}

const FETCHING = {
  sessionTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  maxFetchBytes: 4 << 20,
  // Kafka answers as soon as it has anything.
  maxWaitMs: 500,
  maxBatchMessages: Number.POSITIVE_INFINITY,
};

/**
 * Reads `billing.balances` from where `known` has read it, and `billing.balances-complete` from its last record.
 * Each process has groups of its own, which commit nothing and end with it.
 */
export async function followBalances(
  {
    kafka: settings,
    registry: registrySettings,
    logger,
  }: Pick<UsageClientOptions, "kafka" | "registry"> & { readonly logger: KafkaLog },
  known: KnownBalances,
): Promise<FollowedBalances> {
  const kafka = openKafka({ tls: null, sasl: null, ...settings }, "drawdown-allowance", logger);
  const registry = openRegistry({ auth: null, ...registrySettings });
  const admin = kafka.admin();
  const readers: PartitionReader[] = [];
  const stop = async () => {
    await Promise.allSettled(readers.map((reader) => reader.stop()));
    await admin.disconnect();
  };
  try {
    await admin.connect();
    const { length: partitions } = await admin.fetchTopicOffsets(TOPICS.balances);
    const readBalance = openBillingReader<Balance>(registry, SCHEMAS.balances);
    readers.push(
      await readPartitions(kafka, {
        ...FETCHING,
        ...{ topic: TOPICS.balances, groupId: `drawdown-allowance-${randomUUID()}`, partitions },
        form: MESSAGES,
        startAt: async (assigned) =>
          new Map(assigned.map((partition) => [partition, known.nextOffsetOf(partition)])),
        async handle({ partition, messages, nextOffset }) {
          for (const message of messages) {
            const refusal = message.value === null ? null : refusalOf(message.value);
            // Of which accounts it was, nobody knows.
            if (refusal !== null) throw new Error(`${TOPICS.balances}/${partition}: ${refusal}`);
            const read = await readBalance(message);
            if (read.accountId === null) continue;
            known.learn(read.accountId, "problem" in read ? null : read.fields);
          }
          known.haveRead(partition, nextOffset);
          return nextOffset;
        },
      }),
    );
    const readComplete = openValueReader<Complete>(registry, SCHEMAS.balancesComplete);
    readers.push(
      await readPartitions(kafka, {
        ...FETCHING,
        ...{ topic: TOPICS.balancesComplete, groupId: `drawdown-allowance-${randomUUID()}` },
        ...{ partitions: 1, form: MESSAGES },
        startAt: () => lastOffsets(admin),
        async handle({ messages, nextOffset }) {
          const read = await readComplete(messages.at(-1)?.value ?? null);
          if ("problem" in read) return nextOffset;
          // Nothing is complete until a time that has not come.
          const until = Math.min(read.until, Date.now());
          const ends = await admin.fetchTopicOffsets(TOPICS.balances);
          const highs = ends.map(({ partition, high }) => [partition, BigInt(high)] as const);
          if (!known.complete(until, new Map(highs))) {
            throw new Error(`${TOPICS.balances} was created anew`);
          }
          return nextOffset;
        },
      }),
    );
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return { ended: Promise.race(readers.map(({ ended }) => ended)), stop };
}

async function lastOffsets(admin: Admin): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(TOPICS.balancesComplete);
  return new Map(
    offsets.map(({ partition, low, high }) => {
      const last = BigInt(high) - 1n;
      return [partition, last > BigInt(low) ? last : BigInt(low)];
    }),
  );
}

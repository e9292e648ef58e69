import { setTimeout as wait } from "node:timers/promises";
import type { Kafka, KafkaMessage } from "kafkajs";
import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import type { Registry } from "../../shared/kafka/codec/registry.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";

/** A LowBalance record as it came off the topic. */
export interface HeardLowBalance {
  readonly accountId: string;
  readonly crossing: bigint;
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  readonly cause: string;
}

export interface LowBalanceFollower {
  /** In the order in which they came; repeats are dropped. */
  readonly heard: readonly HeardLowBalance[];
  /** Records dropped because their account's sequence was heard before. */
  readonly repeats: () => number;
  /** Waits until the topic has been read up to these offsets; false when that takes too long. */
  readUpTo(ends: ReadonlyMap<number, bigint>, withinMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

interface LowBalanceFields {
  readonly account_id: string;
  readonly crossing: bigint;
  readonly balance: bigint;
  readonly threshold: bigint;
  readonly cause: string;
}

/**
 * Reads `billing.low-balance` from its beginning, as anyone downstream would: decoded through the
 * registry, repeats dropped by the sequence in the headers. Accounts of others are passed over.
 */
export async function followLowBalances(
  kafka: Kafka,
  registry: Registry,
  options: { groupId: string; accountIds: ReadonlySet<string> },
): Promise<LowBalanceFollower> {
  const heard: HeardLowBalance[] = [];
  const sequences = new Map<string, bigint>();
  const readTo = new Map<number, bigint>();
  let repeats = 0;

  const hear = async (message: KafkaMessage): Promise<void> => {
    if (message.value === null) return;
    const low = (await registry.decode(message.value)) as LowBalanceFields;
    if (!options.accountIds.has(low.account_id)) return;
    const sequence = sequenceOf(message);
    if (sequence <= (sequences.get(low.account_id) ?? 0n)) {
      repeats += 1;
      return;
    }
    sequences.set(low.account_id, sequence);
    const { account_id: accountId, crossing, balance, threshold, cause } = low;
    heard.push({ accountId, crossing, balance, threshold, cause });
  };

  const consumer = await runBatchConsumer(kafka, {
    groupId: options.groupId,
    topic: TOPICS.lowBalance,
    batchSize: 1_000,
    startAt: async () => new Map(),
    async handle({ partition, messages, nextOffset }) {
      for (const message of messages) await hear(message);
      readTo.set(partition, nextOffset);
      return nextOffset;
    },
  });
  return {
    heard,
    repeats: () => repeats,
    async readUpTo(ends, withinMs) {
      const deadline = Date.now() + withinMs;
      const isBehind = () => [...ends].some(([at, end]) => (readTo.get(at) ?? 0n) < end);
      while (isBehind() && Date.now() < deadline) await wait(50);
      return !isBehind();
    },
    stop: () => consumer.stop(),
  };
}

/** A record without a sequence counts as a repeat of everything: the books' relay always sets it. */
function sequenceOf({ headers }: KafkaMessage): bigint {
  const text = headers?.["sequence"]?.toString() ?? "";
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

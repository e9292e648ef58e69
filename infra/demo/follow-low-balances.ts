import { setTimeout as wait } from "node:timers/promises";
import type { Kafka, KafkaMessage } from "kafkajs";
import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openBillingReader } from "../../shared/kafka/codec/billing-records.ts";
import type { Registry } from "../../shared/kafka/codec/registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { runBatchConsumer } from "../../shared/kafka/consume/batch-consumer.ts";
import { MESSAGES } from "../../shared/kafka/consume/batch-forms.ts";

/** A LowBalance record from the topic. */
export interface LowBalanceReceived {
  readonly accountId: string;
  readonly crossing: bigint;
  readonly balance: MicroCredits;
  readonly threshold: MicroCredits;
  readonly cause: string;
}

export type LowBalanceFollower = Awaited<ReturnType<typeof followLowBalances>>;

interface LowBalanceFields extends Omit<LowBalanceReceived, "accountId"> {
  readonly account_id: string;
}

/**
 * Reads `billing.low-balance` from its beginning, as any consumer would: decoded through the
 * registry, repeats dropped by the sequence in the headers. Other accounts, and what cannot be read, are
 * skipped.
 */
export async function followLowBalances(
  kafka: Kafka,
  registry: Registry,
  options: { groupId: string; accountIds: ReadonlySet<string> },
) {
  const read = openBillingReader<LowBalanceFields>(registry, SCHEMAS.lowBalance);
  const received: LowBalanceReceived[] = [];
  const sequences = new Map<string, bigint>();
  const readTo = new Map<number, bigint>();
  let repeats = 0;

  const receive = async (message: KafkaMessage): Promise<void> => {
    const record = await read(message);
    if ("problem" in record || !options.accountIds.has(record.accountId)) return;
    const { accountId, sequence, fields: low } = record;
    if (sequence <= (sequences.get(accountId) ?? 0n)) {
      repeats += 1;
      return;
    }
    sequences.set(accountId, sequence);
    const { crossing, balance, threshold, cause } = low;
    received.push({ accountId, crossing, balance, threshold, cause });
  };

  const consumer = await runBatchConsumer(kafka, {
    groupId: options.groupId,
    topic: TOPICS.lowBalance,
    batchSize: 1_000,
    form: MESSAGES,
    startAt: async () => new Map(),
    async handle({ partition, messages, nextOffset }) {
      for (const message of messages) await receive(message);
      readTo.set(partition, nextOffset);
      return nextOffset;
    },
  });
  return {
    /** In the order of arrival, without repeats. */
    received,
    /** The number of dropped records: their account had that sequence already. */
    repeats: () => repeats,
    /** Waits until the topic has been read up to these offsets; false when that takes too long. */
    async readUpTo(ends: ReadonlyMap<number, bigint>, withinMs: number): Promise<boolean> {
      const deadline = Date.now() + withinMs;
      const isBehind = () => [...ends].some(([at, end]) => (readTo.get(at) ?? 0n) < end);
      while (isBehind() && Date.now() < deadline) await wait(50);
      return !isBehind();
    },
    stop: () => consumer.stop(),
  };
}

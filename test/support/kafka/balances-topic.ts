import type { Kafka } from "kafkajs";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { readRanges } from "../../../shared/kafka/consume/read-ranges.ts";

/** The version in the last record of each account on `billing.balances`: what compaction keeps. */
export async function lastVersions(
  kafka: Kafka,
  accounts: readonly string[],
): Promise<(bigint | undefined)[]> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(TOPICS.balances);
  await admin.disconnect();
  // Other files on this broker publish records that no reader can use.
  const wanted = new Set(accounts);
  const last = new Map<string, bigint>();
  await readRanges(kafka, {
    topic: TOPICS.balances,
    ranges: new Map(
      offsets.map(({ partition, low, high }) => [
        partition,
        { from: BigInt(low), to: BigInt(high) },
      ]),
    ),
    signal: new AbortController().signal,
    async onBatch({ messages }) {
      for (const { key, headers } of messages) {
        const account = key?.toString() ?? "";
        const version = headers?.["sequence"]?.toString();
        if (wanted.has(account) && version !== undefined) last.set(account, BigInt(version));
      }
    },
  });
  return accounts.map((account) => last.get(account));
}

import { randomUUID } from "node:crypto";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { HEADER_BYTES, SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import { eventually } from "../../support/eventually.ts";
import { testKafka } from "../../support/kafka/kafka.ts";

/** A usage event in the fields of its schema. */
export interface PublishedUsage {
  readonly event_id: string;
  readonly account_id: string;
  readonly quantity: bigint;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly quantities: Readonly<Record<string, bigint>>;
}

/** Remembers where the topic ends now; `since` reads an account's events from there on, in order. */
export async function watchUsage(
  accountId: string,
): Promise<{ since(): Promise<PublishedUsage[]> }> {
  const before = await ends();
  return {
    async since() {
      const after = await ends();
      const grown = [...after].filter(([partition, end]) => end > (before.get(partition) ?? 0n));
      if (grown.length === 0) return [];
      return (await readFrom(before, new Map(grown))).filter(
        (event) => event.account_id === accountId,
      );
    },
  };
}

async function ends(): Promise<Map<number, bigint>> {
  const admin = testKafka().admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(TOPICS.usageEvents);
    return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
  } finally {
    await admin.disconnect();
  }
}

async function readFrom(
  from: ReadonlyMap<number, bigint>,
  to: ReadonlyMap<number, bigint>,
): Promise<PublishedUsage[]> {
  const topic = TOPICS.usageEvents;
  const consumer = testKafka().consumer({ groupId: `cli-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const events: PublishedUsage[] = [];
  const reached = new Map<number, bigint>();
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({
    eachMessage: async ({ partition, message: { offset, value } }) => {
      reached.set(partition, BigInt(offset) + 1n);
      if (value === null) return;
      events.push(SCHEMAS.usageEvents.type.fromBuffer(value.subarray(HEADER_BYTES)));
    },
  });
  for (const [partition, offset] of from) {
    consumer.seek({ topic, partition, offset: offset.toString() });
  }
  await eventually(
    "the topic is read to its end",
    () => [...to].every(([partition, end]) => (reached.get(partition) ?? 0n) >= end),
    20_000,
  );
  await consumer.disconnect();
  return events;
}

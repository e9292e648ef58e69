import type { Admin } from "kafkajs";
import { readOffsets, startOffsets } from "../../shared/ledger/consumer-offset.ts";
import type { Database } from "../../shared/ledger/database.ts";

/**
 * Where to read partitions from: the places that Postgres holds, never Kafka's committed offsets.
 * Books that do not know a partition yet start at the first message that it still has.
 */
export async function startPlaces(
  database: Database,
  admin: Pick<Admin, "fetchTopicOffsets">,
  place: { readonly consumer: string; readonly topic: string },
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  const { consumer, topic } = place;
  let places = await readOffsets(database, consumer, topic);
  if (partitions.some((partition) => !places.has(partition))) {
    const offsets = await admin.fetchTopicOffsets(topic);
    const starts = new Map(offsets.map(({ partition, low }) => [partition, BigInt(low)]));
    await startOffsets(database, consumer, topic, starts);
    places = await readOffsets(database, consumer, topic);
  }
  return new Map([...places].filter(([partition]) => partitions.includes(partition)));
}

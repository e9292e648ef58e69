import type { Admin } from "kafkajs";
import { type Reader, readOffsets, startOffsets } from "../ledger/books/consumer-offset.ts";
import type { Database } from "../ledger/postgres/database.ts";
import { isPartOfReplay } from "../ledger/replay/begin.ts";

/** The database holds what a replay has built so far, which is no books. */
class PartOfReplay extends Error {}

/**
 * Where to read partitions from: the places that Postgres holds, never Kafka's committed offsets.
 * Books that do not know a partition yet start at the first message that it still has. Throws
 * PartOfReplay where a replay has not ended.
 */
export async function startPlaces(
  database: Database,
  admin: Pick<Admin, "fetchTopicOffsets">,
  reader: Reader,
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  if (await isPartOfReplay(database)) {
    throw new PartOfReplay(
      "the database holds part of a replay that was broken off or still runs: point DATABASE_URL at finished books",
    );
  }
  let places = await readOffsets(database, reader);
  if (partitions.some((partition) => !places.has(partition))) {
    const offsets = await admin.fetchTopicOffsets(reader.topic);
    const starts = new Map(offsets.map(({ partition, low }) => [partition, BigInt(low)]));
    await startOffsets(database, reader, starts);
    places = await readOffsets(database, reader);
  }
  return new Map([...places].filter(([partition]) => partitions.includes(partition)));
}

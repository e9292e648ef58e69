import type { Admin } from "kafkajs";
import { type Reader, readOffsets, startOffsets } from "../../ledger/books/consumer-offset.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import { isUnfinishedReplay } from "../../ledger/replay/begin.ts";

/** A replay into this database is unfinished. */
class UnfinishedReplay extends Error {}

/**
 * Where to start reading partitions: at the offsets in Postgres, never at those committed to Kafka. A new
 * partition starts at its first message. Throws UnfinishedReplay.
 */
export async function findStartOffsets(
  database: Database,
  admin: Pick<Admin, "fetchTopicOffsets">,
  reader: Reader,
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  if (await isUnfinishedReplay(database)) {
    throw new UnfinishedReplay(
      "the database holds an unfinished replay: point DATABASE_URL at finished books",
    );
  }
  let offsets = await readOffsets(database, reader);
  if (partitions.some((partition) => !offsets.has(partition))) {
    const ends = await admin.fetchTopicOffsets(reader.topic);
    const firsts = new Map(ends.map(({ partition, low }) => [partition, BigInt(low)]));
    await startOffsets(database, reader, firsts);
    offsets = await readOffsets(database, reader);
  }
  return new Map([...offsets].filter(([partition]) => partitions.includes(partition)));
}

import type { Admin } from "kafkajs";
import { type Reader, readOffsets, startOffsets } from "../../ledger/books/consumer-offset.ts";
import type { Database } from "../../ledger/postgres/database.ts";
import { isUnfinishedReplay } from "../../ledger/replay/begin.ts";

/** A replay into this database is unfinished. */
class UnfinishedReplay extends Error {}

/**
 * Where to start reading partitions: at the offsets that Postgres holds, never at Kafka's committed
 * ones. A partition that the books do not know yet starts at its first message. Throws UnfinishedReplay
 * while a replay into the database is unfinished.
 */
export async function findStartOffsets(
  database: Database,
  admin: Pick<Admin, "fetchTopicOffsets">,
  reader: Reader,
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  if (await isUnfinishedReplay(database)) {
    throw new UnfinishedReplay(
      "the database holds part of a replay that was broken off or still runs: point DATABASE_URL at finished books",
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

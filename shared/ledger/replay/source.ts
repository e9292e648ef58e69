import { TOPICS } from "../../core/text/topics.ts";
import type { Queryable, Transaction } from "../postgres/database.ts";

const MIGRATIONS = "SELECT name FROM migration ORDER BY name";

/** The names of the migrations applied to a database. */
export async function listMigrations(database: Queryable): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(MIGRATIONS);
  return rows.map(({ name }) => name);
}

const DEAD = `
  SELECT kafka_offset::text AS offset
  FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset >= $3 AND kafka_offset < $4`;

/** The offsets in `[from, to)` of a partition whose messages are dead letters, as text. */
export async function deadOffsets(
  source: Transaction,
  partition: number,
  from: bigint,
  to: bigint,
): Promise<Set<string>> {
  const { rows } = await source.query<{ offset: string }>({
    name: "dead-offsets",
    text: DEAD,
    values: [TOPICS.usageEvents, partition, from, to],
  });
  return new Set(rows.map(({ offset }) => offset));
}

const BELOW = `
  SELECT min(kafka_offset) AS first, count(*)
  FROM usage_record
  WHERE kafka_partition = $1 AND kafka_offset < $2`;

/** The first offset and the number of metered events below an offset of a partition; null: none. */
export async function usageBelow(
  source: Transaction,
  partition: number,
  offset: bigint,
): Promise<{ first: bigint; count: bigint } | null> {
  const values = [partition, offset];
  const { rows } = await source.query<{ first: bigint | null; count: bigint }>(BELOW, values);
  const { first, count } = rows[0] ?? { first: null, count: 0n };
  return first === null ? null : { first, count };
}

import { TOPICS } from "../../core/text/topics.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";

const MIGRATIONS = "SELECT name FROM migration ORDER BY name";

/** The names of the migrations applied to a database. */
export async function listMigrations(database: Queryable): Promise<string[]> {
  const rows = await queryRows<{ name: string }>(database, MIGRATIONS);
  return rows.map(({ name }) => name);
}

const DEAD = `
  SELECT kafka_offset::float8 AS offset
  FROM dead_letter
  WHERE topic = $1 AND kafka_partition = $2 AND kafka_offset >= $3 AND kafka_offset < $4`;

/** The offsets in `[from, to)` of a partition whose messages are dead letters. */
export async function deadOffsets(
  source: Transaction,
  partition: number,
  from: bigint,
  to: bigint,
): Promise<Set<number>> {
  const values = [TOPICS.usageEvents, partition, from, to];
  const rows = await queryRows<{ offset: number }>(source, DEAD, values, "dead-offsets");
  return new Set(rows.map(({ offset }) => offset));
}

const BELOW = `
  SELECT min(kafka_offset) AS first, count(DISTINCT kafka_offset)
  FROM usage_record
  WHERE page_first_offset < $2 AND page_partitions @> ARRAY[$1::integer]
    AND kafka_partition = $1 AND kafka_offset < $2`;

/** Of the usage metered below an offset of a partition: its first offset and its count; null: there is none. */
export async function usageBelow(
  source: Transaction,
  partition: number,
  offset: bigint,
): Promise<{ first: bigint; count: bigint } | null> {
  type Row = { first: bigint | null; count: bigint };
  const row = await queryRow<Row>(source, BELOW, [partition, offset]);
  const { first, count } = row ?? { first: null, count: 0n };
  return first === null ? null : { first, count };
}

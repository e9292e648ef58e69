import { type DeadLetterPlace, placeText } from "../../core/usage/dead-letter-place.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Queryable } from "../postgres/database.ts";
import { usagePastUntil } from "../usage/past-usage.ts";

// A retry that Kafka has refused is no longer requested.
const READ = `
  SELECT topic, kafka_partition AS partition, kafka_offset AS offset, sha256(payload) AS digest
  FROM dead_letter
  JOIN unnest($1::text[], $2::integer[], $3::bigint[]) AS claimed (topic, kafka_partition, kafka_offset)
    USING (topic, kafka_partition, kafka_offset)
  WHERE retry_asked_at IS NOT NULL AND dismissed_at IS NULL AND payload_size IS NULL
    AND (retried_at IS NULL OR retried_at >= to_timestamp($4 / 1000.0))`;

/**
 * The SHA-256 of the messages of those dead letters, by place, for which a retry was ever requested. It
 * stays true once the retry is published: whoever reads its message later judges it alike, until the page of
 * what the retry became may be past retention.
 */
export async function requestedRetries(
  database: Queryable,
  places: readonly DeadLetterPlace[],
): Promise<ReadonlyMap<string, Buffer>> {
  const distinct = [...new Map(places.map((place) => [placeText(place), place])).values()];
  const { rows } = await database.query<DeadLetterPlace & { readonly digest: Buffer }>(READ, [
    textArray(distinct.map(({ topic }) => topic)),
    bigintArray(distinct.map(({ partition }) => partition)),
    bigintArray(distinct.map(({ offset }) => offset)),
    (await usagePastUntil(database, null)) ?? 0,
  ]);
  return new Map(rows.map((row) => [placeText(row), row.digest]));
}

import type { Instant } from "../../core/line/account.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import type { Database } from "../postgres/database.ts";
import { readPages } from "../postgres/read-pages.ts";
import { OPEN } from "../usage/dead-letters.ts";

/** The open dead letters to decide about: those of a reason, recorded up to `now`. */
export interface DecisionScope {
  /** Null: of any reason. */
  readonly reason: string | null;
  readonly now: Instant;
}

const LETTERS_PER_TRANSACTION = 5_000;

/**
 * Updates the open dead letters in scope for which `which` holds, in several transactions, and returns
 * their number. Letters recorded meanwhile are left out: a retried message may become a dead letter
 * again, without end. `set` takes its values from $7 on.
 */
export async function decideOpenLetters(
  database: Database,
  { reason, now }: DecisionScope,
  decision: { readonly which: string; readonly set: string; readonly values: readonly unknown[] },
): Promise<number> {
  const text = statementOf(decision);
  let decided = 0;
  const pages = readPages<Place>(LETTERS_PER_TRANSACTION, (last) => {
    const { recordedAt, topic, partition, offset } = last ?? FIRST;
    const place = [recordedAt, topic, partition, offset];
    return database.query(text, [reason, now, ...place, ...decision.values]);
  });
  for await (const places of pages) decided += places.length;
  return decided;
}

const FIRST: Place = { recordedAt: "-infinity", topic: "", partition: 0, offset: 0n };

/** The instant is text, which keeps its microseconds. */
type Place = DeadLetterPlace & { readonly recordedAt: string };

function statementOf({ which, set }: { readonly which: string; readonly set: string }): string {
  return `
    WITH open AS (
      SELECT recorded_at, topic, kafka_partition, kafka_offset
      FROM dead_letter
      WHERE ${OPEN}
        AND ($1::text IS NULL OR reason = $1)
        AND recorded_at <= to_timestamp($2 / 1000.0)
        AND (recorded_at, topic, kafka_partition, kafka_offset)
            > ($3::timestamptz, $4, $5::integer, $6::bigint)
        AND ${which}
      ORDER BY recorded_at, topic, kafka_partition, kafka_offset
      LIMIT ${LETTERS_PER_TRANSACTION}
      FOR UPDATE
    ), decided AS (
      UPDATE dead_letter
      SET ${set}
      FROM open
      WHERE dead_letter.topic = open.topic
        AND dead_letter.kafka_partition = open.kafka_partition
        AND dead_letter.kafka_offset = open.kafka_offset
    )
    SELECT recorded_at::text AS "recordedAt", topic, kafka_partition AS partition,
           kafka_offset AS offset
    FROM open
    ORDER BY recorded_at, topic, kafka_partition, kafka_offset`;
}

import type { Instant } from "../../core/line/account.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import type { Database } from "../postgres/database.ts";
import { OPEN } from "../usage/dead-letters.ts";

/** Which open dead letters are decided about, and when. */
export interface DecisionScope {
  /** Null: of any reason. */
  readonly reason: string | null;
  readonly now: Instant;
}

/** So many are decided in one transaction, and held by it. */
const LETTERS_AT_ONCE = 5_000;

/**
 * Sets columns of all open dead letters of a reason for which `which` holds, so many in a transaction,
 * and returns how many. Those that come meanwhile are left out: what is retried may be a dead letter
 * again at once, and would be for ever. `set` takes its values from $7 on.
 */
export async function decideOpenLetters(
  database: Database,
  { reason, now }: DecisionScope,
  decision: { readonly which: string; readonly set: string; readonly values: readonly unknown[] },
): Promise<number> {
  const text = statementOf(decision);
  let decided = 0;
  let after: Place = { recordedAt: "-infinity", topic: "", partition: 0, offset: 0n };
  for (;;) {
    const { recordedAt, topic, partition, offset } = after;
    const place = [recordedAt, topic, partition, offset];
    const values = [reason, now, ...place, ...decision.values];
    const { rows } = await database.query<Place>(text, values);
    decided += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < LETTERS_AT_ONCE) return decided;
    after = last;
  }
}

/** As text, an instant keeps its microseconds. */
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
      LIMIT ${LETTERS_AT_ONCE}
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

import type { Instant } from "../../core/line/account.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import type { Database } from "../postgres/database.ts";

/** Open until it is published again or dismissed; retrying: somebody has asked for it to be published. */
type DeadLetterState = "open" | "retrying" | "retried" | "dismissed";

/** A dead letter without its bytes. */
export interface ListedDeadLetter extends DeadLetterPlace {
  readonly accountId: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly recordedAt: Instant;
  readonly state: DeadLetterState;
}

/** Of a row of dead_letter. */
export const STATE = `
  CASE
    WHEN dismissed_at IS NOT NULL THEN 'dismissed'
    WHEN retried_at IS NOT NULL THEN 'retried'
    WHEN retry_asked_at IS NOT NULL THEN 'retrying'
    ELSE 'open'
  END`;

/** Which dead letters are listed. */
export interface AskedDeadLetters {
  /** Null: of any reason. */
  readonly reason: string | null;
  /** Null: of any account, and those whose account is not known. */
  readonly accountId: string | null;
  /** Also those that were retried or dismissed. */
  readonly decided: boolean;
}

const LIST = `
  SELECT topic, kafka_partition, kafka_offset, account_id, reason, detail,
         (extract(epoch FROM recorded_at) * 1000)::bigint, ${STATE}
  FROM dead_letter
  WHERE ($1::text IS NULL OR reason = $1)
    AND ($2::text IS NULL OR account_id = $2)
    AND ($3 OR (retried_at IS NULL AND dismissed_at IS NULL))
    AND ($4::bigint IS NULL
         OR (recorded_at, topic, kafka_partition, kafka_offset)
            < (to_timestamp($4 / 1000.0), $5, $6, $7))
  ORDER BY recorded_at DESC, topic DESC, kafka_partition DESC, kafka_offset DESC
  LIMIT $8`;

type Row = [
  topic: string,
  partition: number,
  offset: string,
  accountId: string | null,
  reason: string,
  detail: string,
  recordedAt: string,
  state: DeadLetterState,
];

/** Up to `limit` dead letters, newest first, from those before `before` on. */
export async function listDeadLetters(
  database: Database,
  { reason, accountId, decided }: AskedDeadLetters,
  page: {
    readonly before: (DeadLetterPlace & { readonly recordedAt: Instant }) | null;
    readonly limit: number;
  },
): Promise<ListedDeadLetter[]> {
  const {
    recordedAt: at = null,
    topic = null,
    partition = null,
    offset = null,
  } = page.before ?? {};
  const { rows } = await database.query<Row>({
    text: LIST,
    values: [reason, accountId, decided, at, topic, partition, offset, page.limit],
    rowMode: "array",
  });
  return rows.map((row) => ({
    ...{ topic: row[0], partition: row[1], offset: BigInt(row[2]) },
    ...{ accountId: row[3], reason: row[4], detail: row[5] },
    ...{ recordedAt: Number(row[6]), state: row[7] },
  }));
}

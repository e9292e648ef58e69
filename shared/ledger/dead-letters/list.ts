import type { Instant } from "../../core/line/account.ts";
import type { DeadLetterPlace } from "../../core/usage/dead-letter-place.ts";
import { type Database, queryRows } from "../postgres/database.ts";

/** Open until it is retried or dismissed; retrying: about to be published again. */
type DeadLetterState = "open" | "retrying" | "retried" | "dismissed";

/** A dead letter without its bytes. */
export interface ListedDeadLetter extends DeadLetterPlace {
  readonly accountId: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly recordedAt: Instant;
  readonly state: DeadLetterState;
}

/** The columns of a `ListedDeadLetter`. */
export const LISTED_COLUMNS = `
  topic, kafka_partition AS partition, kafka_offset AS offset, account_id AS "accountId", reason,
  detail, recorded_at AS "recordedAt",
  CASE
    WHEN dismissed_at IS NOT NULL THEN 'dismissed'
    WHEN retried_at IS NOT NULL THEN 'retried'
    WHEN retry_asked_at IS NOT NULL THEN 'retrying'
    ELSE 'open'
  END AS state`;

/** Which dead letters to list. */
export interface DeadLetterFilter {
  /** Null: of any reason. */
  readonly reason: string | null;
  /** Null: any account, or none known. */
  readonly accountId: string | null;
  /** Include those that were retried or dismissed. */
  readonly decided: boolean;
}

const LIST = `
  SELECT ${LISTED_COLUMNS}
  FROM dead_letter
  WHERE ($1::text IS NULL OR reason = $1)
    AND ($2::text IS NULL OR account_id = $2)
    AND ($3 OR (retried_at IS NULL AND dismissed_at IS NULL))
    AND ($4::bigint IS NULL
         OR (recorded_at, topic, kafka_partition, kafka_offset)
            < (to_timestamp($4 / 1000.0), $5, $6, $7))
  ORDER BY recorded_at DESC, topic DESC, kafka_partition DESC, kafka_offset DESC
  LIMIT $8`;

/** Up to `limit` dead letters, newest first, after the position `before` (null: from the start). */
export async function listDeadLetters(
  database: Database,
  { reason, accountId, decided }: DeadLetterFilter,
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
  const values = [reason, accountId, decided, at, topic, partition, offset, page.limit];
  return queryRows<ListedDeadLetter>(database, LIST, values);
}

import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/** A position (above 0) that an account has reached. */
export interface LineMark {
  readonly accountId: AccountId;
  readonly at: MicroCredits;
}

/** What reached a position. */
export interface Crossing {
  /** `event:<event id>` or `entry:<sequence>`. */
  readonly cause: string;
  readonly isExpiry: boolean;
  /** When it occurred, or fell due. */
  readonly at: Instant;
  /** The position after it. */
  readonly end: MicroCredits;
}

/** A page has fewer rows; the last one that begins before a position is the only one that can reach it. */
const ROWS_OF_A_PAGE = 100;

const FIND = `
  SELECT coalesce(event.occurred_at, entry.due_at) AS at, coalesce(event."end", entry.position) AS "end",
         entry.sequence, coalesce(entry.kind = 'expiry', false) AS "isExpiry", event.event_id AS "eventId"
  FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS mark (account_id, at, place)
  LEFT JOIN LATERAL (
    SELECT event_id, occurred_at, "end"
    FROM (
      SELECT event_id, occurred_at, start_position,
             start_position + credits - coalesce(given_back, 0) AS "end"
      FROM usage_record
      WHERE usage_record.account_id = mark.account_id AND page_start < mark.at
      ORDER BY page_start DESC, page_version DESC, page_place DESC
      LIMIT ${ROWS_OF_A_PAGE}
    ) AS last
    WHERE start_position < mark.at AND "end" >= mark.at
    LIMIT 1
  ) AS event ON true
  LEFT JOIN LATERAL (
    SELECT sequence, kind, due_at, position
    FROM entry
    WHERE entry.account_id = mark.account_id AND position >= mark.at AND position + credits < mark.at
      AND credits < 0
    ORDER BY sequence DESC
    LIMIT 1
  ) AS entry ON event.event_id IS NULL
  ORDER BY place`;

/** What reached each position, in their order; null: nothing that is kept, as where lots have moved. */
export async function findCrossings(
  transaction: Transaction,
  marks: readonly LineMark[],
): Promise<(Crossing | null)[]> {
  if (marks.length === 0) return [];
  type Row = Omit<Crossing, "cause"> & {
    readonly sequence: bigint | null;
    readonly eventId: string | null;
  };
  const values = columnsOf(marks, "accountId", "at");
  const rows = await queryRows<Row>(transaction, FIND, values, "find-crossings");
  return rows.map(({ sequence, eventId, ...crossing }) => {
    if (sequence !== null) return { ...crossing, cause: REFERENCE.entryCause.write({ sequence }) };
    return eventId === null
      ? null
      : { ...crossing, cause: REFERENCE.eventCause.write({ eventId }) };
  });
}

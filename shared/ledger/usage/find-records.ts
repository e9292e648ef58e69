import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { isUuid, keyRange } from "./event-key.ts";

/** An event id of an account, whatever its source. */
export type EventOwner = Pick<EventIdentity, "accountId" | "eventId">;

/**
 * The records of `named` events, as `record`: through the identities, and for what was metered before
 * these begin, through all older pages of the account.
 */
const FIND = (columns: string) => `
  SELECT ${columns}
  FROM (
    SELECT DISTINCT *
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[])
      AS each (event_id, account_id, least, most, event_uuid)
  ) AS named
  CROSS JOIN LATERAL (
    SELECT start_position, version FROM usage_identity_1 WHERE event_key BETWEEN least AND most
    UNION
    SELECT start_position, version FROM usage_identity_2 WHERE event_key BETWEEN least AND most
    UNION
    SELECT start_position, version FROM usage_identity_clash WHERE account_id = named.account_id
    UNION
    SELECT start_position, version
    FROM usage_page
    WHERE account_id = named.account_id
      AND metered_at < (SELECT coalesce(sealed_since, since) FROM usage_generation)
      AND (event_uuids @> ARRAY[named.event_uuid] OR event_ids @> ARRAY[named.event_id])
  ) AS page
  CROSS JOIN LATERAL (
    SELECT *
    FROM usage_record
    WHERE account_id = named.account_id AND event_id = named.event_id
      AND page_start = page.start_position AND page_version = page.version
    OFFSET 0
  ) AS record`;

/** Reads `columns` of the records of all sources under these ids, each once, however old they are. */
export async function findRecords<Row extends object>(
  transaction: Transaction,
  columns: string,
  named: readonly EventOwner[],
): Promise<Row[]> {
  if (named.length === 0) return [];
  const ranges = named.map(({ eventId }) => keyRange(eventId));
  return queryRows<Row>(transaction, FIND(columns), [
    ...columnsOf(named, "eventId", "accountId"),
    ...columnsOf(ranges, "least", "most"),
    ...columnsOf(
      named.map(({ eventId }) => ({ uuid: isUuid(eventId) ? eventId : null })),
      "uuid",
    ),
  ]);
}

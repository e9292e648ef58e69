import { type EventIdentity, identityOf } from "../../core/usage/usage-event.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { keyRange } from "./event-key.ts";

/** An event of an account by its id; without a source: those of all sources. */
export type EventOwner = Pick<EventIdentity, "accountId" | "eventId"> &
  Partial<Pick<EventIdentity, "source">>;

const NAMED = `
  SELECT DISTINCT *
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[])
    AS each (event_id, account_id, least, most)`;

/** The pages to which identities lead. */
const BY_IDENTITY = `
  SELECT named.account_id, named.event_id, page.start_position, page.version
  FROM named
  CROSS JOIN LATERAL (
    SELECT start_position, version FROM usage_identity_1 WHERE event_key BETWEEN least AND most
    UNION ALL
    SELECT start_position, version FROM usage_identity_2 WHERE event_key BETWEEN least AND most
    UNION ALL
    SELECT start_position, version FROM usage_identity_clash WHERE account_id = named.account_id
  ) AS page`;

/**
 * The same, and the pages from before identities are complete, each of which is read once, whatever is named. A day
 * more, since the clocks of processes differ.
 */
const EVERYWHERE = `
  ${BY_IDENTITY}
  UNION
  SELECT old.account_id, old.event_id, old.start_position, old.version
  FROM (
    SELECT page.account_id, page.start_position, page.version,
           coalesce(each.event_id, each.event_uuid::text) AS event_id
    FROM (SELECT DISTINCT account_id FROM named) AS owner
    CROSS JOIN LATERAL (
      SELECT *
      FROM usage_page
      WHERE account_id = owner.account_id
        AND metered_at < (SELECT complete_since + interval '1 day' FROM usage_generation)
      OFFSET 0
    ) AS page
    CROSS JOIN LATERAL unnest(page.event_uuids, page.event_ids) AS each (event_uuid, event_id)
    WHERE coalesce(each.event_id, each.event_uuid::text) = ANY ($1::text[])
    OFFSET 0
  ) AS old
  JOIN named USING (account_id, event_id)`;

// A page is made into rows once, not once for each of its events that are named.
const find = (pages: string, columns: string) => `
  WITH named AS MATERIALIZED (${NAMED})
  SELECT record.account_id AS "accountId", record.event_id AS "eventId", record.source, ${columns}
  FROM (
    SELECT account_id, start_position, version, array_agg(event_id) AS event_ids
    FROM (${pages}) AS each
    GROUP BY account_id, start_position, version
  ) AS page
  CROSS JOIN LATERAL (
    SELECT *
    FROM usage_record
    WHERE account_id = page.account_id AND event_id = ANY (page.event_ids)
      AND page_start = page.start_position AND page_version = page.version
    OFFSET 0
  ) AS record`;

/**
 * Reads `columns` of the records of these events, each once, however old they are; also of other sources
 * under the same ids. Only what identities do not find is looked for on the account's older pages: an
 * event named without its source always, since another source may have used the id before.
 */
export async function findRecords<Row extends object>(
  transaction: Transaction,
  columns: string,
  named: readonly EventOwner[],
): Promise<(Row & EventIdentity)[]> {
  type Found = Row & EventIdentity;
  if (named.length === 0) return [];
  const known = await queryRows<Found>(transaction, find(BY_IDENTITY, columns), valuesOf(named));
  const found = new Set(known.map(identityOf));
  const sought = named.filter(
    ({ source, ...event }) => source === undefined || !found.has(identityOf({ ...event, source })),
  );
  if (sought.length === 0) return known;
  const all = await queryRows<Found>(transaction, find(EVERYWHERE, columns), valuesOf(sought));
  const ids = new Set(sought.map(idOf));
  return [...known.filter((record) => !ids.has(idOf(record))), ...all];
}

function idOf({ accountId, eventId }: EventOwner): string {
  return `${accountId}\0${eventId}`;
}

function valuesOf(named: readonly EventOwner[]): string[] {
  const ranges = named.map(({ eventId }) => keyRange(eventId));
  return [...columnsOf(named, "eventId", "accountId"), ...columnsOf(ranges, "least", "most")];
}

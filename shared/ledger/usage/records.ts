import type { ColumnContext } from "../../core/usage/draw-columns.ts";
import { eventAt, type UsageColumns } from "../../core/usage/usage-columns.ts";
import { type EventIdentity, identityOf, type UsageEvent } from "../../core/usage/usage-event.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import type { RowWriter } from "../postgres/insert-rows.ts";
import { isUuid } from "./event-key.ts";
import { type EventRow, eventOfRows, rowsByEvent } from "./event-rows.ts";
import { findRecords } from "./find-records.ts";
import { type Generations, placesKnown } from "./identities.ts";
import { type KeysAtPlaces, namedDigests, namedKeys } from "./identity-keys.ts";
import { dimensionsJson } from "./pages.ts";
import { repeatedKeys } from "./repeated-keys.ts";

export const EVENT_COLUMNS =
  "event_id, account_id, meter, quantity, occurred_at, source, dimensions";

/** Writes the seven columns of the event itself. The benchmark's lower bound writes only these. */
export function putEvent(rows: RowWriter, event: UsageEvent): void {
  rows.text(event.eventId);
  rows.text(event.accountId);
  rows.text(event.meter);
  rows.int8(event.quantity);
  rows.timestamptz(event.occurredAt);
  rows.text(event.source);
  const dimensions = dimensionsJson(event.dimensions);
  if (dimensions === null) rows.null();
  else rows.jsonb(dimensions);
}

/** The columns of an `EventRow`, of `usage_record AS record`. */
export const EVENT_FIELDS = `
  record.event_id AS "eventId", record.account_id AS "accountId", record.meter, record.quantity,
  record.occurred_at AS "occurredAt", record.source, coalesce(record.dimensions, '{}') AS dimensions,
  record.kafka_partition AS partition, record.kafka_offset AS offset, record.place::integer AS place,
  record.hold_id AS "holdId"`;

// The view would make rows of all events of a page, when few are asked for. OFFSET keeps Postgres from reading
// all pages of an account before it knows which.
const FIND = `
  SELECT named.event_id AS "eventId", named.account_id AS "accountId",
         page.meters[coalesce(page.meter_numbers[at], 1)] AS meter,
         page.quantities[at] AS quantity,
         page.first_at + page.occurred_after[at] * interval '0.001 s' AS "occurredAt",
         named.source,
         coalesce(page.dimensions[coalesce(page.dimension_numbers[at], 1)], '{}') AS dimensions,
         coalesce(page.kafka_partitions[at], page.kafka_partitions[1]) AS partition,
         page.kafka_offsets[at] AS offset,
         page.hold_ids[coalesce(page.hold_numbers[at], 1)] AS "holdId",
         page.place + at AS place
  FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[])
    AS named (event_id, account_id, source, event_uuid, event_key, digest)
  CROSS JOIN LATERAL (
    SELECT start_position, version FROM usage_identity_1 WHERE event_key = named.event_key
    UNION ALL
    SELECT start_position, version FROM usage_identity_2 WHERE event_key = named.event_key
    UNION ALL
    SELECT start_position, version FROM usage_identity_clash WHERE identity = decode(named.digest, 'hex')
  ) AS known
  CROSS JOIN LATERAL (
    SELECT *
    FROM usage_page
    WHERE account_id = named.account_id
      AND start_position = known.start_position AND version = known.version
    OFFSET 0
  ) AS page
  CROSS JOIN LATERAL unnest(
    coalesce(
      array_positions(page.event_uuids, named.event_uuid),
      array_positions(page.event_ids, named.event_id)
    )
  ) AS at
  WHERE page.sources[coalesce(page.source_numbers[at], 1)] = named.source`;

function namedEvents(events: readonly EventIdentity[]): string[] {
  const names = columnsOf(events, "eventId", "accountId", "source");
  const uuids = events.map(({ eventId }) => (isUuid(eventId) ? eventId : "NULL"));
  return [...names, `{${uuids.join(",")}}`, namedKeys(events), namedDigests(events)];
}

/**
 * The metered events that have the identity of one of these, by `identityOf`, as far as identities are kept;
 * of those in `old` also from before.
 */
export async function findRecorded(
  transaction: Transaction,
  events: readonly UsageEvent[],
  old: readonly UsageEvent[] = [],
): Promise<Map<string, UsageEvent>> {
  if (events.length === 0) return new Map();
  const rows = await queryRows<EventRow>(transaction, FIND, namedEvents(events), "find-recorded");
  const older = await findRecords<EventRow>(transaction, EVENT_FIELDS, old);
  const found = [...rowsByEvent(rows), ...rowsByEvent(older)].map(eventOfRows);
  return new Map(found.map((event) => [identityOf(event), event]));
}

/** Events in columns that may have been metered before. */
export interface EventsToFind extends KeysAtPlaces {
  readonly columns: UsageColumns;
  /** The places of those that may have been metered before identities are complete. */
  readonly old: readonly number[];
}

/**
 * The repeats in a batch: of one another, and, by `findRecorded`, of events of batches before it. Without `lookUp`
 * only those of the latter that the unique key of identities would not show.
 */
export async function findRepeats(
  transaction: Transaction,
  generations: Generations,
  events: EventsToFind,
  lookUp: boolean,
): Promise<Pick<ColumnContext, "recorded" | "mayRepeat">> {
  const { columns, old } = events;
  const mayRepeat = repeatedKeys(events);
  const known = await placesKnown(transaction, generations, events, lookUp);
  const places = [...new Set([...known, ...old])];
  const found = places.map((place) => eventAt(columns, place));
  const before = old.map((place) => eventAt(columns, place));
  const recorded = await findRecorded(transaction, found, before);
  for (const [index, event] of found.entries()) {
    const place = places[index] ?? 0;
    if (!mayRepeat.has(place) && recorded.has(identityOf(event))) mayRepeat.set(place, place);
  }
  return { recorded, mayRepeat };
}

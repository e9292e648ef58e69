import type { Instant } from "../../core/line/account.ts";
import type { Drawn } from "../../core/usage/events-in-batch.ts";
import {
  type EventIdentity,
  identityOf,
  type ReceivedEvent,
  type UsageEvent,
} from "../../core/usage/usage-event.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows, type RowWriter } from "../postgres/insert-rows.ts";

export const EVENT_COLUMNS =
  "event_id, account_id, meter, quantity, occurred_at, source, dimensions";

const INTO = {
  table: "usage_record",
  columns: `${EVENT_COLUMNS}, credits, start_position, kafka_partition, kafka_offset, metered_at`,
};

/**
 * Writes metered events without looking for repeats: an identity that exists fails the transaction with a
 * unique violation.
 */
export async function writeUsageRecords(
  transaction: Transaction,
  drawn: readonly Drawn<ReceivedEvent>[],
  meteredAt: Instant,
): Promise<void> {
  await insertRows(transaction, INTO, drawn, (rows, { event, credits, start }) => {
    putEvent(rows, event);
    rows.int8(credits);
    rows.int8(start);
    rows.int4(event.partition);
    rows.int8(event.offset);
    rows.timestamptz(meteredAt);
  });
  const late = drawn.filter(({ givenBack }) => givenBack > 0n);
  if (late.length > 0) await writeGivenBack(transaction, late);
}

const GIVEN_BACK = `
  UPDATE usage_record AS record
  SET given_back = late.given_back
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    AS late (event_id, account_id, source, given_back)
  WHERE record.event_id = late.event_id AND record.account_id = late.account_id
    AND record.source = late.source`;

/** Few events are late, so the others' rows are written without the column. */
async function writeGivenBack(
  transaction: Transaction,
  late: readonly Drawn<ReceivedEvent>[],
): Promise<void> {
  const rows = late.map(({ event, givenBack }) => ({ ...event, givenBack }));
  const values = columnsOf(rows, "eventId", "accountId", "source", "givenBack");
  await transaction.query(GIVEN_BACK, values);
}

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

/** The columns of a `UsageEvent`. */
export const EVENT_FIELDS = `
  event_id AS "eventId", account_id AS "accountId", meter, quantity, occurred_at AS "occurredAt",
  source, coalesce(dimensions, '{}') AS dimensions`;

/** The columns of an event's identity, under the unique index `usage_record_identity`. */
export const IDENTITY_COLUMNS = "event_id, account_id, source";

/** The parameters with `identityColumnsOf`, for `unnest`. */
export const IDENTITY_TYPES = "$1::text[], $2::text[], $3::text[]";

/** The identities of events, as the arrays that `IDENTITY_TYPES` takes. */
export function identityColumnsOf(events: readonly EventIdentity[]): string[] {
  return columnsOf(events, "eventId", "accountId", "source");
}

const FIND = `
  SELECT ${EVENT_FIELDS}
  FROM unnest(${IDENTITY_TYPES}) AS named (${IDENTITY_COLUMNS})
  JOIN usage_record USING (${IDENTITY_COLUMNS})`;

/** The metered events that have the identity of one of these, by `identityOf`. */
export async function findRecorded(
  transaction: Transaction,
  events: readonly UsageEvent[],
): Promise<Map<string, UsageEvent>> {
  const values = identityColumnsOf(events);
  const rows = await queryRows<UsageEvent>(transaction, FIND, values, "find-recorded");
  return new Map(rows.map((event) => [identityOf(event), event]));
}

function dimensionsJson(dimensions: Readonly<Record<string, string>>): string | null {
  for (const _ in dimensions) return JSON.stringify(dimensions);
  return null;
}

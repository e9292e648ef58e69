import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { type EventOwner, findRecords } from "./find-records.ts";
import { usagePastUntil } from "./past-usage.ts";
import { AS_DRAWN, OF_ACCOUNT } from "./walk-records.ts";

/** A metered event with its offset and the stretch of the line that it drew. */
export interface UsageRecord {
  readonly eventId: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt: Instant;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly credits: MicroCredits;
  /** What of its credits expired lots paid; it drew the rest. */
  readonly givenBack: MicroCredits;
  readonly drawn: Stretch;
  readonly partition: number;
  readonly offset: bigint;
  readonly meteredAt: Instant;
}

/** The columns of a `RecordRow`, of `usage_record AS record`. */
export const RECORD_COLUMNS = `
  record.event_id AS "eventId", record.meter, record.quantity, record.occurred_at AS "occurredAt",
  record.source, coalesce(record.dimensions, '{}') AS dimensions, record.credits,
  coalesce(record.given_back, 0) AS "givenBack", record.start_position AS start,
  record.kafka_partition AS partition, record.kafka_offset AS offset,
  record.metered_at AS "meteredAt"`;

export type RecordRow = Omit<UsageRecord, "drawn"> & { readonly start: MicroCredits };

/** The most sources that a refusal lists. */
const MOST_SOURCES = 10;

/** An event by its id and its source; without the source: whichever one has the id. */
export interface NamedEvent {
  readonly accountId: AccountId;
  readonly eventId: string;
  readonly source: string | null;
}

/** The record of an event, or why none is found: none was metered, or events of several sources have its id. */
export async function findUsageRecord(
  transaction: Transaction,
  { accountId, eventId, source }: NamedEvent,
): Promise<UsageRecord | Refusal<"unknown_event" | "several_sources">> {
  const found = await recordsNamed(transaction, {
    ...{ accountId, eventId },
    ...(source === null ? {} : { source }),
  });
  const rows = found.filter((record) => source === null || record.source === source);
  const [record, another] = rows;
  if (record === undefined) {
    return {
      kind: "unknown_event",
      eventId,
      pastUntil: await usagePastUntil(transaction, accountId),
    };
  }
  if (another === undefined) return record;
  const sources = rows.map((one) => one.source).sort();
  return { kind: "several_sources", eventId, sources: sources.slice(0, MOST_SOURCES) };
}

/** The records of an account's events with this id, one for each source. */
export async function recordsWithId(
  transaction: Transaction,
  accountId: AccountId,
  eventId: string,
): Promise<UsageRecord[]> {
  return recordsNamed(transaction, { accountId, eventId });
}

async function recordsNamed(transaction: Transaction, named: EventOwner): Promise<UsageRecord[]> {
  const found = await findRecords<RecordRow>(transaction, RECORD_COLUMNS, [named]);
  return found.map(({ accountId, ...record }) => toRecord(record));
}

/** What a record drew of the line. */
const DREW = "record.credits - coalesce(record.given_back, 0)";

/**
 * The records that drew on [$2, $3) and start at $4 or later, found through pages. Pages never overlap, so
 * the first one has the greatest start up to there. An empty stretch, such as a lot cut out of the line,
 * has no records.
 */
const ACROSS = `
  ${OF_ACCOUNT}
    AND record.page_start >= coalesce((
      SELECT start_position
      FROM usage_page
      WHERE account_id = $1 AND start_position <= greatest($2::bigint, $4::bigint)
      ORDER BY start_position DESC
      LIMIT 1
    ), 0)
    AND record.page_start < $3
    AND $2::bigint < $3::bigint
    AND record.start_position < $3
    AND record.start_position + ${DREW} > $2
    AND record.start_position >= $4
    AND ${DREW} > 0`;

const LIST_ACROSS = `
  SELECT ${RECORD_COLUMNS}
  ${ACROSS}
  ORDER BY ${AS_DRAWN}
  LIMIT $5`;

/** Up to `limit` records that drew on a stretch, oldest first, starting after the position `after`. */
export async function usageAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
  page: { readonly after: MicroCredits; readonly limit: number },
): Promise<UsageRecord[]> {
  const values = [accountId, stretch.start, stretch.end, page.after + 1n, page.limit];
  return (await queryRows<RecordRow>(transaction, LIST_ACROSS, values)).map(toRecord);
}

/** What a stretch of the line paid for of one meter. */
export interface MeterTotal {
  readonly meter: string;
  readonly events: number;
  readonly credits: MicroCredits;
}

const TOTAL_ACROSS = `
  SELECT meter, count(*)::integer AS events,
         sum(least(record.start_position + ${DREW}, $3) - greatest(record.start_position, $2))::bigint
           AS credits
  ${ACROSS}
  GROUP BY meter
  ORDER BY 3 DESC, meter`;

/** What a stretch of the line paid for, by meter, most first. Reads every record of the stretch. */
export async function totalsAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
): Promise<MeterTotal[]> {
  const values = [accountId, stretch.start, stretch.end, 0n];
  return queryRows<MeterTotal>(transaction, TOTAL_ACROSS, values);
}

export function toRecord({ start, ...record }: RecordRow): UsageRecord {
  return { ...record, drawn: { start, end: start + record.credits - record.givenBack } };
}

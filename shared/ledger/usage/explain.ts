import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { rowsByEvent } from "./event-rows.ts";
import { type EventOwner, findRecords } from "./find-records.ts";
import { usagePastUntil } from "./past-usage.ts";
import { AS_DRAWN, OF_ACCOUNT } from "./walk-records.ts";

/** A line of a metered event, with the event's offset and the stretch of the credit line that it drew. */
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
  /** The hold that it names; null: none. */
  readonly holdId: string | null;
  /** Whether the hold took it: it had not ended, and was the account's. Null: not known. */
  readonly holdUsed: boolean | null;
}

/** A metered event: its lines, and all of them together under the first one's meter and quantity. */
export interface MeteredEvent extends UsageRecord {
  readonly lines: readonly UsageRecord[];
}

/** The columns of a `RecordRow`, of `usage_record AS record`. */
export const RECORD_COLUMNS = `
  record.event_id AS "eventId", record.meter, record.quantity, record.occurred_at AS "occurredAt",
  record.source, coalesce(record.dimensions, '{}') AS dimensions, record.credits,
  coalesce(record.given_back, 0) AS "givenBack", record.start_position AS start,
  record.kafka_partition AS partition, record.kafka_offset AS offset,
  record.metered_at AS "meteredAt", record.hold_id AS "holdId", record.hold_used AS "holdUsed"`;

const PLACED_COLUMNS = `${RECORD_COLUMNS}, record.place::integer AS place`;

export type RecordRow = Omit<UsageRecord, "drawn"> & { readonly start: MicroCredits };

/** The most sources that a refusal lists. */
const MOST_SOURCES = 10;

/** An event by its id and its source; without the source: whichever one has the id. */
export interface NamedEvent {
  readonly accountId: AccountId;
  readonly eventId: string;
  readonly source: string | null;
}

/** A metered event, or why none is found: none was metered, or events of several sources have its id. */
export async function findMeteredEvent(
  transaction: Transaction,
  { accountId, eventId, source }: NamedEvent,
): Promise<MeteredEvent | Refusal<"unknown_event" | "several_sources">> {
  const found = await eventsNamed(transaction, {
    ...{ accountId, eventId },
    ...(source === null ? {} : { source }),
  });
  const events = found.filter((event) => source === null || event.source === source);
  const [event, another] = events;
  if (event === undefined) {
    return {
      kind: "unknown_event",
      eventId,
      pastUntil: await usagePastUntil(transaction, accountId),
    };
  }
  if (another === undefined) return event;
  const sources = events.map((one) => one.source).sort();
  return { kind: "several_sources", eventId, sources: sources.slice(0, MOST_SOURCES) };
}

/** An account's metered events with this id, one for each source. */
export async function eventsWithId(
  transaction: Transaction,
  accountId: AccountId,
  eventId: string,
): Promise<MeteredEvent[]> {
  return eventsNamed(transaction, { accountId, eventId });
}

async function eventsNamed(transaction: Transaction, named: EventOwner): Promise<MeteredEvent[]> {
  type Row = RecordRow & { readonly place: number };
  const found = await findRecords<Row>(transaction, PLACED_COLUMNS, [named]);
  return rowsByEvent(found).map((rows) => {
    const [first, ...further] = rows.map(({ accountId, place, ...row }) => toRecord(row));
    if (first === undefined) throw new Error("an event without a record");
    return meteredEvent(first, further);
  });
}

function meteredEvent(first: UsageRecord, further: readonly UsageRecord[]): MeteredEvent {
  const lines = [first, ...further];
  const sumOf = (what: "credits" | "givenBack") =>
    lines.reduce((sum, line) => sum + line[what], 0n);
  const drawn = { start: first.drawn.start, end: lines.at(-1)?.drawn.end ?? first.drawn.end };
  return { ...first, credits: sumOf("credits"), givenBack: sumOf("givenBack"), drawn, lines };
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

/** The usage record that a row has, with the stretch of the line that it drew. */
export function toRecord({ start, ...record }: RecordRow): UsageRecord {
  return { ...record, drawn: { start, end: start + record.credits - record.givenBack } };
}

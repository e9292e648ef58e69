import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import type { Transaction } from "../postgres/database.ts";

/** A metered event, where it was read and the stretch of the line that it drew. */
export interface UsageRecord {
  readonly eventId: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurredAt: Instant;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly credits: MicroCredits;
  readonly drawn: Stretch;
  readonly partition: number;
  readonly offset: bigint;
  readonly meteredAt: Instant;
}

/** The columns of a `RecordRow`, of `usage_record AS record`. */
export const RECORD_COLUMNS = `
  record.event_id, meter, quantity, (extract(epoch FROM occurred_at) * 1000)::bigint, source,
  dimensions, credits, record.start_position, kafka_partition, kafka_offset,
  (extract(epoch FROM metered_at) * 1000)::bigint`;

const FIND = `
  SELECT ${RECORD_COLUMNS}
  FROM usage_record AS record
  WHERE event_id = $2 AND account_id = $1`;

/** The record of an event, or null when no such event of the account was metered. */
export async function findUsageRecord(
  transaction: Transaction,
  accountId: AccountId,
  eventId: string,
): Promise<UsageRecord | null> {
  const [record] = await query(transaction, FIND, [accountId, eventId]);
  return record ?? null;
}

/**
 * The records that drew on [$2, $3) and start at $4 or later. The draws lead to them: these never
 * overlap, so the first one has the greatest start that is not beyond where the records begin. A lot
 * that was cut out of the line paid for nothing, also where a record lies across its place.
 */
const ACROSS = `
  FROM draw
  CROSS JOIN unnest(draw.event_ids) WITH ORDINALITY AS drawn (event_id, place)
  JOIN usage_record AS record
    ON record.event_id = drawn.event_id AND record.account_id = draw.account_id
  WHERE draw.account_id = $1
    AND draw.start_position >= coalesce((
      SELECT start_position
      FROM draw
      WHERE account_id = $1 AND start_position <= greatest($2::bigint, $4::bigint)
      ORDER BY start_position DESC
      LIMIT 1
    ), 0)
    AND draw.start_position < $3
    AND $2::bigint < $3::bigint
    AND record.start_position < $3
    AND record.start_position + record.credits > $2
    AND record.start_position >= $4
    AND record.credits > 0`;

const LIST_ACROSS = `
  SELECT ${RECORD_COLUMNS}
  ${ACROSS}
  ORDER BY draw.start_position, draw.version, drawn.place
  LIMIT $5`;

/**
 * Up to `limit` records that drew on a stretch of the line, oldest first, of those whose own stretch
 * starts after the position `after`. Records that cost nothing drew on nothing.
 */
export async function usageAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
  page: { readonly after: MicroCredits; readonly limit: number },
): Promise<UsageRecord[]> {
  const values = [accountId, stretch.start, stretch.end, page.after + 1n, page.limit];
  return query(transaction, LIST_ACROSS, values);
}

/** What a stretch of the line paid for of one meter. */
export interface MeterTotal {
  readonly meter: string;
  readonly events: number;
  readonly credits: MicroCredits;
}

const TOTAL_ACROSS = `
  SELECT meter, count(*)::integer,
         sum(least(record.start_position + credits, $3) - greatest(record.start_position, $2))
  ${ACROSS}
  GROUP BY meter
  ORDER BY 3 DESC, meter`;

/** What a stretch of the line paid for, by meter, most first. Reads every record of the stretch. */
export async function totalsAcross(
  transaction: Transaction,
  accountId: AccountId,
  stretch: Stretch,
): Promise<MeterTotal[]> {
  const { rows } = await transaction.query<[string, number, string]>({
    text: TOTAL_ACROSS,
    values: [accountId, stretch.start, stretch.end, 0n],
    rowMode: "array",
  });
  return rows.map(([meter, events, credits]) => ({ meter, events, credits: BigInt(credits) }));
}

export type RecordRow = [
  eventId: string,
  meter: string,
  quantity: string,
  occurredAt: string,
  source: string,
  dimensions: Record<string, string> | null,
  credits: string,
  start: string,
  partition: number,
  offset: string,
  meteredAt: string,
];

async function query(
  transaction: Transaction,
  text: string,
  values: unknown[],
): Promise<UsageRecord[]> {
  const { rows } = await transaction.query<RecordRow>({ text, values, rowMode: "array" });
  return rows.map(toRecord);
}

export function toRecord(row: readonly [...RecordRow, ...unknown[]]): UsageRecord {
  return {
    eventId: row[0],
    meter: row[1],
    quantity: BigInt(row[2]),
    occurredAt: Number(row[3]),
    source: row[4],
    dimensions: row[5] ?? {},
    credits: BigInt(row[6]),
    drawn: { start: BigInt(row[7]), end: BigInt(row[7]) + BigInt(row[6]) },
    partition: row[8],
    offset: BigInt(row[9]),
    meteredAt: Number(row[10]),
  };
}

import type { AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits, Stretch } from "../../core/line/credit-line.ts";
import type { EventName, ReceivedEvent } from "../../core/usage/usage-event.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { drawnByEntries } from "../usage/drawn-stretches.ts";
import { AS_DRAWN, LAST_DRAWN_FIRST, OF_ACCOUNT } from "../usage/walk-records.ts";

/** The last record before an event on its account's line: its end, and the transaction that drew it. */
export interface RecordBefore {
  readonly end: MicroCredits;
  readonly version: bigint;
  readonly drawnAt: Instant;
}

const DREW = "record.credits - coalesce(record.given_back, 0)";

/** Of messages of one partition, those of one account draw in the order of their offsets. */
const OTHERS = `
  ${OF_ACCOUNT}
    AND record.page_partitions @> ARRAY[$2::integer] AND record.kafka_partition = $2
    AND (record.source, record.event_id) NOT IN (SELECT * FROM unnest($4::text[], $5::text[]))`;

const BEFORE = `
  SELECT record.start_position + ${DREW} AS "end", record.version, record.metered_at AS "drawnAt"
  ${OTHERS} AND record.kafka_offset < $3
  ORDER BY ${LAST_DRAWN_FIRST}
  LIMIT 1`;

/** The record before an event in its partition, other than `except`; null: there is none. */
export async function recordBefore(
  transaction: Transaction,
  { accountId, partition, offset }: ReceivedEvent,
  except: readonly EventName[],
): Promise<RecordBefore | null> {
  const values = [accountId, partition, offset, ...columnsOf(except, "source", "eventId")];
  return queryRow<RecordBefore>(transaction, BEFORE, values);
}

const AFTER = `
  SELECT record.start_position AS start
  ${OTHERS} AND record.kafka_offset > $3
  ORDER BY ${AS_DRAWN}
  LIMIT 1`;

/** Where the record after an event in its partition starts, other than `except`; null: there is none. */
export async function startAfter(
  transaction: Transaction,
  { accountId, partition, offset }: ReceivedEvent,
  except: readonly EventName[],
): Promise<MicroCredits | null> {
  const values = [accountId, partition, offset, ...columnsOf(except, "source", "eventId")];
  const row = await queryRow<{ start: MicroCredits }>(transaction, AFTER, values);
  return row?.start ?? null;
}

const OCCUPIED = `
  SELECT record.start_position AS start, record.start_position + ${DREW} AS "end"
  ${OF_ACCOUNT}
    AND record.page_start < $3
    AND record.start_position < $3 AND record.start_position + ${DREW} > $2
    AND (record.source, record.event_id) NOT IN (SELECT * FROM unnest($4::text[], $5::text[]))
  UNION ALL
  SELECT start_position, end_position
  FROM usage_past_stretch
  WHERE account_id = $1 AND end_position > $2 AND start_position < $3`;

/**
 * The stretches that entries, usage past retention and the records other than `except` drew within a
 * stretch, oldest first.
 */
export async function drawnWithin(
  transaction: Transaction,
  accountId: AccountId | string,
  { start, end }: Stretch,
  except: readonly EventName[],
): Promise<Stretch[]> {
  if (end <= start) return [];
  const values = [accountId, start, end, ...columnsOf(except, "source", "eventId")];
  const records = await queryRows<Stretch>(transaction, OCCUPIED, values);
  const entries = await drawnByEntries(transaction, accountId, { start, end });
  return [...records, ...entries].sort((a, b) =>
    a.start < b.start ? -1 : Number(a.start > b.start),
  );
}

const POSITION = "SELECT position FROM account WHERE account_id = $1";

/** How far an account has drawn; 0: there is no such account. */
export async function positionOf(
  transaction: Transaction,
  accountId: AccountId | string,
): Promise<MicroCredits> {
  const row = await queryRow<{ position: MicroCredits }>(transaction, POSITION, [accountId]);
  return row?.position ?? 0n;
}

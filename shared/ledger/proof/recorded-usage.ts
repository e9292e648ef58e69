import pg from "pg";
import type { Place, RecordedUsage } from "../../core/history/verify-usage.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { type EventRow, eventOfRows, type ReceivedLine, rowsByEvent } from "../usage/event-rows.ts";
import { type EventOwner, findRecords } from "../usage/find-records.ts";
import { EVENT_FIELDS } from "../usage/records.ts";

/** No id contains this character. */
const BETWEEN = "\uFFFD";

const LINE = `
  concat_ws(U&'\\FFFD', kafka_offset, event_id, account_id, meter, quantity,
            (extract(epoch FROM occurred_at) * 1000)::bigint, credits, source,
            coalesce(dimensions::text, ''), hold_id)`;

/** The line of text that Postgres makes of a line of an event. Texts are cheap to build and compare. */
export function lineOf(event: ReceivedLine, credits: MicroCredits): string {
  const { offset, eventId, accountId, meter, quantity, occurredAt, source } = event;
  return (
    offset +
    (BETWEEN + eventId) +
    (BETWEEN + accountId) +
    (BETWEEN + meter) +
    (BETWEEN + quantity) +
    (BETWEEN + occurredAt) +
    (BETWEEN + credits) +
    (BETWEEN + source) +
    (BETWEEN + jsonbText(event.dimensions)) +
    (event.holdId === null ? "" : BETWEEN + event.holdId)
  );
}

/** Offsets `[from, to)` of a partition. */
export interface RecordRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** The event id and the account of a line's record. */
export function ownerOfLine(line: string): EventOwner {
  const [, eventId = "", accountId = ""] = line.split(BETWEEN, 3);
  return { eventId, accountId };
}

/** The offset of a line's record. */
export function offsetOfLine(line: string): bigint {
  return BigInt(line.slice(0, line.indexOf(BETWEEN)));
}

/** True if a line's record is of the message at an offset. */
export function isAtOffset(line: string, offset: string): boolean {
  return line.startsWith(offset) && line[offset.length] === BETWEEN;
}

/** Dimensions as Postgres prints a jsonb: shorter keys first, then by bytes. */
function jsonbText(dimensions: Readonly<Record<string, string>>): string {
  const keys = Object.keys(dimensions);
  if (keys.length === 0) return "";
  if (keys.length > 1) keys.sort(byBytes);
  const pairs = keys.map((key) => `${JSON.stringify(key)}: ${JSON.stringify(dimensions[key])}`);
  return `{${pairs.join(", ")}}`;
}

function byBytes(a: string, b: string): number {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length - right.length || left.compare(right);
}

/** The records of a partition as lines, in offset order; those of an event in the order in which they drew. */
export interface RecordLines {
  /** The next line, or the one `ahead` of it; undefined: call `refill`. */
  peek(ahead?: number): string | undefined;
  refill(): Promise<string | undefined>;
  /** Moves past the next line. */
  next(): void;
  close(): Promise<void>;
}

const FETCH_ROWS = 2_000;

/** Opens the records of a range, of one account or all (null). The next rows are fetched ahead. */
export async function openRecordLines(
  transaction: Transaction,
  { partition, from, to }: RecordRange,
  accountId: string | null,
): Promise<RecordLines> {
  const cursor = `record_lines_${partition}`;
  await transaction.query(
    `DECLARE ${cursor} NO SCROLL CURSOR FOR
     SELECT ${LINE} AS line
     FROM usage_record
     WHERE page_first_offset < ${to} AND page_last_offset >= ${from}
       AND page_partitions @> ARRAY[${partition}] AND kafka_partition = ${partition} AND kafka_offset >= ${from} AND kafka_offset < ${to}
       ${accountId === null ? "" : `AND account_id = ${pg.escapeLiteral(accountId)}`}
     ORDER BY kafka_offset, place`,
  );
  let lines: string[] = [];
  let at = 0;
  let ahead = fetch();

  function fetch(): Promise<string[]> {
    const text = `FETCH ${FETCH_ROWS} FROM ${cursor}`;
    const rows = queryRows<{ line: string }>(transaction, text);
    const fetching = rows.then((fetched) => fetched.map(({ line }) => line));
    fetching.catch(() => undefined); // reported when it is awaited
    return fetching;
  }

  return {
    peek: (ahead = 0) => lines[at + ahead],
    async refill() {
      if (at < lines.length) return lines[at];
      lines = await ahead;
      at = 0;
      if (lines.length > 0) ahead = fetch();
      return lines[0];
    },
    next() {
      at += 1;
    },
    async close() {
      await ahead.catch(() => undefined);
      await transaction.query(`CLOSE ${cursor}`);
    },
  };
}

const RECORDED = `
  ${EVENT_FIELDS}, record.credits, coalesce(record.given_back, 0) AS "givenBack",
  record.start_position AS start`;

interface RecordedRow extends EventRow, Pick<RecordedUsage, "credits" | "givenBack" | "start"> {}

/** The records of events of all sources under these ids, each once. */
export async function findRecordedUsage(
  transaction: Transaction,
  named: readonly EventOwner[],
): Promise<RecordedUsage[]> {
  const rows = await findRecords<RecordedRow>(transaction, RECORDED, named);
  return rowsByEvent(rows).map((lines) => {
    const lineCredits = lines.map(({ credits }) => credits);
    const credits = lineCredits.reduce((sum, each) => sum + each, 0n);
    const givenBack = lines.reduce((sum, line) => sum + line.givenBack, 0n);
    return { ...eventOfRows(lines), credits, givenBack, lineCredits };
  });
}

const DEAD = `
  SELECT kafka_partition AS partition, kafka_offset AS offset
  FROM unnest($2::integer[], $3::bigint[]) AS named (kafka_partition, kafka_offset)
  JOIN dead_letter USING (kafka_partition, kafka_offset)
  WHERE topic = $1`;

/** Which of these offsets have a dead letter, as `partition/offset`. */
export async function findDeadLetters(
  transaction: Transaction,
  topic: string,
  places: readonly Place[],
): Promise<Set<string>> {
  if (places.length === 0) return new Set();
  const values = [topic, ...columnsOf(places, "partition", "offset")];
  const rows = await queryRows<Place>(transaction, DEAD, values);
  return new Set(rows.map(({ partition, offset }) => `${partition}/${offset}`));
}

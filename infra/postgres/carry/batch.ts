import type { Instant } from "../../../shared/core/line/account.ts";
import { bigintArray, columnsOf } from "../../../shared/ledger/postgres/array-literal.ts";
import { queryRow, queryRows, type Transaction } from "../../../shared/ledger/postgres/database.ts";
import type { ReceivedLine } from "../../../shared/ledger/usage/event-rows.ts";
import {
  type Page,
  type PagedUsage,
  pagesOf,
  writePages,
} from "../../../shared/ledger/usage/pages.ts";
import {
  identitiesOn,
  newIdentities,
  writeIdentities,
} from "../../../shared/ledger/usage/write-identities.ts";
import { refuseMissing, UncarriedUsage } from "./compare.ts";
import { digestOf } from "./digest.ts";

/** The first generation of identities: none ends before set-up has carried all usage. */
const CARRIED_INTO = { current: 1 } as const;

export interface BatchStart {
  /** The account to begin with. */
  readonly from: string;
  /** How much of draws to carry, in bytes. */
  readonly bytes: number;
  /** Identities are written of what was metered since then. */
  readonly since: Instant;
  /** Look up whether a key of an identity is another's. */
  readonly lookUp: boolean;
}

export interface CarriedBatch {
  readonly events: number;
  /** The account to go on with; null: nothing is left. */
  readonly next: string | null;
}

/**
 * Carries the next draws of the accounts from `from` on, in the order of accounts, within a transaction,
 * and compares what can be read from the new pages with the old rows.
 */
export async function carryBatch(client: Transaction, start: BatchStart): Promise<CarriedBatch> {
  const { draws, next } = await nextDraws(client, start);
  const last = draws.at(-1);
  if (last === undefined) return { events: 0, next: null };
  const records = await recordsOf(client, draws);
  const pages = pagesByDay(records);
  await addMonths(client, records);
  await writePages(client, pages);
  const recent = pages.flatMap((page) =>
    identitiesOn({ ...page, usage: page.usage.filter((one) => one.meteredAt >= start.since) }),
  );
  await writeIdentities(client, CARRIED_INTO, newIdentities(recent), {
    mayClash: start.lookUp,
    meteredAt: records.reduce((newest, { meteredAt }) => Math.max(newest, meteredAt), 0),
  });
  await compareBatch(client, pages, records);
  return { events: records.length, next };
}

interface Draw {
  readonly accountId: string;
  readonly start: bigint;
  readonly version: bigint;
  readonly bytes: number;
}

/** More draws than these are not looked at for one batch. */
const MOST_DRAWS = 5_000;

// What is on pages of an account ends within its last page: the index of draw leads to where that begins.
const NEXT = `
  SELECT draw.account_id AS "accountId", draw.start_position AS start, draw.version,
         pg_column_size(draw.event_ids) AS bytes
  FROM account
  LEFT JOIN LATERAL (
    SELECT start_position,
           version + coalesce(versions_after[cardinality(versions_after)], 0) AS version
    FROM usage_page
    WHERE account_id = account.account_id
    ORDER BY start_position DESC, version DESC, place DESC
    LIMIT 1
  ) AS page ON true
  CROSS JOIN LATERAL (
    SELECT account_id, start_position, version, event_ids
    FROM draw
    WHERE account_id = account.account_id
      AND start_position >= coalesce(page.start_position, 0)
      AND version > coalesce(page.version, 0)
    ORDER BY start_position, version
    LIMIT ${MOST_DRAWS}
  ) AS draw
  WHERE account.account_id >= $1
  ORDER BY account.account_id, draw.start_position, draw.version
  LIMIT ${MOST_DRAWS}`;

/** At least one draw, if any is left. */
async function nextDraws(client: Transaction, { from, bytes }: BatchStart) {
  const found = await queryRows<Draw>(client, NEXT, [from], "carry-draws");
  let left = bytes;
  const draws = found.filter((draw) => {
    const fits = left > 0;
    left -= draw.bytes;
    return fits;
  });
  const isLast = draws.length === found.length && found.length < MOST_DRAWS;
  return { draws, next: isLast ? null : (draws.at(-1)?.accountId ?? null) };
}

// A draw names the source of each event, or one for all. Draws without sources are of a version whose
// accounts had one record for each event id; what has that id since was metered later.
const RECORDS = `
  SELECT draw.account_id AS "accountId", drawn.event_id AS "eventId", draw.version,
         draw.drawn_at AS "drawnAt", record.*
  FROM unnest($1::text[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY AS taken (account_id, start_position, version, nth)
  JOIN draw USING (account_id, start_position, version)
  CROSS JOIN unnest(draw.event_ids, draw.sources) WITH ORDINALITY AS drawn (event_id, of_source, place)
  LEFT JOIN LATERAL (
    SELECT meter, quantity, occurred_at AS "occurredAt", source,
           coalesce(dimensions, '{}') AS dimensions, credits,
           coalesce(given_back, 0) AS "givenBack", record.start_position AS start,
           kafka_partition AS partition, kafka_offset AS offset, metered_at AS "meteredAt",
           ${digestOf("record", "draw.version")} AS digest
    FROM usage_record AS record
    WHERE record.event_id = drawn.event_id AND record.account_id = draw.account_id
      AND CASE
            WHEN draw.sources IS NULL THEN metered_at = draw.drawn_at
            ELSE source = coalesce(drawn.of_source, draw.sources[1])
          END
    OFFSET 0
  ) AS record ON true
  ORDER BY taken.nth, drawn.place`;

/** A record as it was drawn. */
interface DrawnRecord
  extends Omit<ReceivedLine, "holdId">,
    Omit<PagedUsage, "event" | "holdsUsed"> {
  readonly drawnAt: Instant;
  readonly digest: bigint;
}

/** An event that a draw names; the fields of its record are null where it has none. */
type Named =
  | DrawnRecord
  | { readonly accountId: string; readonly eventId: string; readonly digest: null };

async function recordsOf(client: Transaction, draws: readonly Draw[]): Promise<DrawnRecord[]> {
  const values = columnsOf(draws, "accountId", "start", "version");
  const named = await queryRows<Named>(client, RECORDS, values, "carry-records");
  const records = named.filter((one): one is DrawnRecord => one.digest !== null);
  if (records.length < named.length) {
    await refuseMissing(
      client,
      named.filter(({ digest }) => digest === null),
    );
  }
  return records;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Pages of neighbouring draws of one day, since the time of a page is the one of its first event. */
function pagesByDay(records: readonly DrawnRecord[]): Page[] {
  const pages: Page[] = [];
  let together: PagedUsage[] = [];
  let before: DrawnRecord | undefined;
  for (const record of records) {
    if (before !== undefined && !isOneDay(before, record)) {
      pages.push(...pagesOf(together));
      together = [];
    }
    together.push(pagedOf(record));
    before = record;
  }
  return [...pages, ...pagesOf(together)];
}

function isOneDay(one: DrawnRecord, other: DrawnRecord): boolean {
  const day = ({ drawnAt }: DrawnRecord) => Math.floor(drawnAt / DAY_MS);
  return one.accountId === other.accountId && day(one) === day(other);
}

function pagedOf(record: DrawnRecord): PagedUsage {
  const {
    credits,
    givenBack,
    start,
    version,
    meteredAt,
    drawnAt: _,
    digest: __,
    ...event
  } = record;
  const drawn = { credits, givenBack, start, version, meteredAt };
  return { event: { ...event, holdId: null }, ...drawn, holdsUsed: null };
}

const ADD_MONTHS =
  "SELECT add_usage_month(to_timestamp(month / 1000.0)) FROM unnest($1::bigint[]) AS month";

async function addMonths(client: Transaction, records: readonly DrawnRecord[]): Promise<void> {
  const months = new Set<Instant>();
  for (const day of new Set(records.map(({ meteredAt }) => Math.floor(meteredAt / DAY_MS)))) {
    const at = new Date(day * DAY_MS);
    months.add(Date.UTC(at.getUTCFullYear(), at.getUTCMonth()));
  }
  await client.query(ADD_MONTHS, [bigintArray([...months])]);
}

const READ_BACK = `
  SELECT count(*)::integer AS events, sum(${digestOf("record", "record.version")})::text AS digest
  FROM (
    SELECT DISTINCT *
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS page (account_id, start_position, version)
  ) AS written
  JOIN usage_of_pages AS record
    ON record.account_id = written.account_id
   AND record.page_start = written.start_position AND record.page_version = written.version`;

/** Reads the pages of a batch: the same records have to be on them, with the same columns. */
async function compareBatch(
  client: Transaction,
  pages: readonly Page[],
  records: readonly DrawnRecord[],
): Promise<void> {
  const keys = pages.flatMap(({ usage, start, version }) =>
    usage.slice(0, 1).map(({ event }) => ({ accountId: event.accountId, start, version })),
  );
  const values = columnsOf(keys, "accountId", "start", "version");
  type Row = { readonly events: number; readonly digest: string | null };
  const read = await queryRow<Row>(client, READ_BACK, values, "carry-read-back");
  const digest = records.reduce((sum, record) => sum + record.digest, 0n);
  if (read?.events === records.length && BigInt(read.digest ?? 0) === digest) return;
  const accounts = [...new Set(keys.map(({ accountId }) => accountId))];
  throw new UncarriedUsage(
    `the pages of accounts ${accounts[0]} to ${accounts.at(-1)} differ from the records of usage_record`,
  );
}

import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import type { Books } from "./books.ts";

const MIGRATIONS = new URL("../../../infra/postgres/migrations/", import.meta.url);

/** The last migration of the version that kept usage in the tables usage_record and draw. */
const BEFORE_PAGES = "0026";

/** Takes books back to the version that kept usage in the tables usage_record and draw, with their usage. */
export async function goBackBeforePages({ database }: Books): Promise<void> {
  const client = await database.connect();
  try {
    await client.query("DROP FUNCTION IF EXISTS add_record_by_hand CASCADE");
    const { rows } = await client.query<{ later: number }>(
      "SELECT count(*)::integer AS later FROM migration WHERE left(name, 4) > $1",
      [BEFORE_PAGES],
    );
    await runner({
      dbClient: client,
      dir: fileURLToPath(MIGRATIONS),
      direction: "down",
      count: rows[0]?.later ?? 0,
      migrationsTable: "migration",
      log: () => undefined,
    });
  } finally {
    client.release();
  }
}

/** A row of usage_record as it was then; instants as ISO texts. */
export interface RecordRow {
  readonly event_id: string;
  readonly account_id: string;
  readonly meter: string;
  readonly quantity: number;
  readonly occurred_at: string;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>> | null;
  readonly credits: number;
  readonly start_position: number;
  readonly kafka_partition: number;
  readonly kafka_offset: number;
  readonly metered_at: string;
  readonly given_back: number | null;
}

/** What one transaction drew from an account then. */
export interface DrawnBefore {
  readonly version: number;
  /** `none` is of a version that named event ids only. */
  readonly sources: "each" | "one" | "none";
  /** In the order in which they drew. */
  readonly records: readonly RecordRow[];
}

const WRITE = `
  WITH drawn AS (
    SELECT * FROM jsonb_to_recordset($1) AS drawn (
      account_id text, start_position bigint, version bigint, end_position bigint, event_ids text[],
      drawn_at timestamptz, sources text[])
  ), records AS (
    SELECT * FROM jsonb_populate_recordset(NULL::usage_record, $2)
  ), metered AS (
    INSERT INTO usage_record SELECT * FROM records
  ), summed AS (
    INSERT INTO spend
    SELECT account_id, date_trunc('hour', occurred_at), meter, count(*), sum(quantity), sum(credits)
    FROM records GROUP BY 1, 2, 3
    ON CONFLICT (account_id, hour, meter) DO UPDATE
    SET events = spend.events + excluded.events, quantity = spend.quantity + excluded.quantity,
        credits = spend.credits + excluded.credits
  ), moved AS (
    UPDATE account
    SET position = greatest(account.position, drawn.end_position),
        version = greatest(account.version, drawn.version)
    FROM (SELECT account_id, max(end_position) AS end_position, max(version) AS version
          FROM drawn GROUP BY account_id) AS drawn
    WHERE account.account_id = drawn.account_id
  ), read AS (
    INSERT INTO consumer_offset
    SELECT 'metering', 'usage.events', kafka_partition, max(kafka_offset) + 1
    FROM records GROUP BY kafka_partition
    ON CONFLICT (consumer, topic, kafka_partition) DO UPDATE SET next_offset = excluded.next_offset
  )
  INSERT INTO draw (account_id, start_position, version, end_position, event_ids, drawn_at, sources)
  SELECT * FROM drawn`;

/** Meters as that version did, as far as the tables show. */
export async function meterBefore(
  database: Pick<Books["database"], "query">,
  draws: readonly DrawnBefore[],
): Promise<void> {
  const rows = draws.flatMap(({ version, sources, records }) => {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return [];
    const named = { each: records.map(({ source }) => source), one: [first.source], none: null };
    return [
      {
        account_id: first.account_id,
        start_position: first.start_position,
        version,
        end_position: last.start_position + last.credits - (last.given_back ?? 0),
        event_ids: records.map((record) => record.event_id),
        drawn_at: first.metered_at,
        sources: named[sources],
      },
    ];
  });
  const records = draws.flatMap((draw) => draw.records);
  await database.query(WRITE, [JSON.stringify(rows), JSON.stringify(records)]);
}

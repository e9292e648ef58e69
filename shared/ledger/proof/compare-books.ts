import { to } from "pg-copy-streams";
import { copyStream } from "../postgres/copy-stream.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { type PastPartition, pastPartitions } from "../usage/past-usage.ts";

/** An account whose rows in one table differ between two books. */
export interface BooksDifference {
  readonly accountId: string;
  readonly table: string;
  /** The first few rows that differ, as JSON: null where one of the books has none. */
  readonly rows: readonly RowDifference[];
}

interface RowDifference {
  readonly source: string | null;
  readonly target: string | null;
}

export interface BooksCompared {
  readonly accounts: bigint;
  readonly differing: number;
  /** Of the first accounts that differ. */
  readonly differences: readonly BooksDifference[];
}

interface Compared {
  readonly table: string;
  readonly from?: string;
  /** The columns to compare, and those that identify a row within its account. */
  readonly columns: string;
  readonly key: string;
  readonly account?: string;
}

/** Hours of an account that has changed its time zone are not compared: events do not record their zone. */
const SPEND = `(
  SELECT account_id, CASE WHEN moved THEN NULL ELSE hour END AS hour, meter,
         sum(events) AS events, sum(quantity) AS quantity, sum(credits) AS credits
  FROM spend
  LEFT JOIN (
    SELECT DISTINCT account_id, true AS moved
    FROM subscription_change
    WHERE kind = 'time_zone_changed'
  ) AS moved USING (account_id)
  GROUP BY 1, 2, 3
) AS spend`;

/**
 * Versions of entries and draws are left out, since a replay has other transactions; so is the instant at
 * which an event was metered, and whether its hold took it, which a replay does not find out.
 */
const COMPARED = (records: string): readonly Compared[] => [
  {
    table: "account",
    columns:
      "granted, position, entries, threshold, overdraft, crossings, waiting_crossing, low_balance, next_due_at, settle_at, expired_until, time_zone, currency, created_at",
    key: "account_id",
  },
  {
    table: "lot",
    columns:
      "lot_id, start_position, end_position, credits, source, reference, granted_at, expires_at, noticed_at",
    key: "lot_id",
  },
  {
    table: "entry",
    columns: "sequence, kind, credits, granted, position, lot_id, reference, due_at, posted_at",
    key: "sequence",
  },
  {
    table: "usage_record",
    from: records,
    columns:
      "event_id, meter, quantity, occurred_at, source, dimensions, credits, given_back, start_position, kafka_partition, kafka_offset, hold_id",
    key: "event_id, source, meter",
  },
  {
    table: "spend",
    from: SPEND,
    columns: "hour, meter, events, quantity, credits",
    key: "hour, meter",
  },
  {
    // A remainder of 0 is written only where an earlier transaction wrote another.
    table: "carried",
    from: "(SELECT * FROM carried WHERE remainder <> 0) AS carried",
    columns: "meter, valid_from, remainder",
    key: "meter, valid_from",
  },
  {
    table: "month_usage",
    columns: "meter, valid_from, month, quantity",
    key: "meter, valid_from, month",
  },
  {
    // What of it is noted, and what is in sums, depends on the batches.
    table: "budget_spent",
    from: `(
      SELECT account_id, dimension, window_name, value, starts_at, ends_at, sum(spent) AS spent
      FROM budget_spent
      WHERE ends_at IS NULL OR ends_at > (SELECT since FROM budget_kept)
      GROUP BY 1, 2, 3, 4, 5, 6
    ) AS budget_spent`,
    columns: "dimension, window_name, value, starts_at, ends_at, spent",
    key: "dimension, window_name, value, starts_at",
  },
  {
    table: "dead_letter",
    columns: "topic, kafka_partition, kafka_offset, reason",
    key: "topic, kafka_partition, kafka_offset",
    account: "coalesce(account_id, '')",
  },
];

/** The most accounts, and rows of each table, to list. */
const MOST_LISTED = 20;
const MOST_ROWS = 3;

/** The settings of the session discourage reading whole tables. */
const READ_WHOLE = "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on";

/**
 * Compares two books account by account: a digest of what each has of an account in each table, and
 * where those differ, the rows. Streamed, so that memory does not grow with the accounts.
 */
export async function compareBooks(
  source: Transaction,
  target: Transaction,
): Promise<BooksCompared> {
  for (const books of [source, target]) await books.query(READ_WHOLE);
  const all = await queryRow<{ count: bigint }>(source, "SELECT count(*) FROM account");
  const differing = new Set<string>();
  const differences: BooksDifference[] = [];
  const { rowCount: erasures } = await source.query("SELECT FROM erasure LIMIT 1");
  const records = comparedRecords(await pastPartitions(source), erasures !== 0);
  for (const compared of COMPARED(records)) {
    const named: string[] = [];
    for await (const id of keysThatDiffer(source, target, digestsOf(compared))) {
      differing.add(id);
      if (differing.size <= MOST_LISTED) named.push(id);
    }
    for (const id of named) {
      differences.push({
        accountId: id,
        table: compared.table,
        rows: await rowsThatDiffer(source, target, compared, id),
      });
    }
  }
  return { accounts: all?.count ?? 0n, differing: differing.size, differences };
}

/**
 * Of what the source does not keep any more, the target may have records; of an erased account, other pseudonyms, or
 * the values that the topic still has.
 */
function comparedRecords(past: readonly PastPartition[], hasErasures: boolean): string {
  const kept = keptRecords(past);
  if (!hasErasures) return kept;
  return `(
    SELECT account_id, event_id, meter, quantity, occurred_at, source,
           CASE WHEN names IS NULL THEN dimensions
                ELSE erased_dimensions(NULL, names, dimensions) END AS dimensions,
           credits, given_back, start_position, kafka_partition, kafka_offset, hold_id
    FROM ${kept}
    LEFT JOIN (${KEPT_DIMENSIONS}) AS erased USING (account_id)
  ) AS usage_record`;
}

// What one erasure of an account has kept, another may not have.
const KEPT_DIMENSIONS = `
  SELECT account_id, ARRAY(
    SELECT name
    FROM erasure, unnest(kept_dimensions) AS name
    WHERE erasure.account_id = each.account_id
    GROUP BY name
    HAVING count(*) = each.times
  ) AS names
  FROM (SELECT account_id, count(*) AS times FROM erasure GROUP BY account_id) AS each`;

function keptRecords(past: readonly PastPartition[]): string {
  if (past.length === 0) return "usage_record";
  const ends = past.map(({ partition, next }) => `WHEN ${partition} THEN ${next}`);
  return `(
    SELECT * FROM usage_record WHERE kafka_offset >= CASE kafka_partition ${ends.join(" ")} ELSE 0 END
  ) AS usage_record`;
}

/** A digest of all rows of each account. */
function digestsOf({ table, from = table, columns, account = "account_id" }: Compared): string {
  return `
    SELECT convert_to(${account}, 'UTF8'), sum(hash_record_extended(ROW(${columns}), 0)), count(*)
    FROM ${from}
    GROUP BY 1
    ORDER BY 1`;
}

/** A digest of each row of an account. */
function rowDigestsOf(
  books: Transaction,
  { table, from = table, columns, key, account = "account_id" }: Compared,
  id: string,
): string {
  return `
    SELECT convert_to(${keyText(key)}, 'UTF8'), hash_record_extended(ROW(${columns}), 0)
    FROM ${from}
    WHERE ${account} = ${books.escapeLiteral(id)}
    ORDER BY 1`;
}

function keyText(key: string): string {
  return `jsonb_build_array(${key})::text`;
}

async function rowsThatDiffer(
  source: Transaction,
  target: Transaction,
  compared: Compared,
  id: string,
): Promise<RowDifference[]> {
  const keys: string[] = [];
  for await (const key of keysThatDiffer(source, target, rowDigestsOf(source, compared, id))) {
    if (keys.length < MOST_ROWS) keys.push(key);
  }
  const ours = await rowsOf(source, compared, id, keys);
  const theirs = await rowsOf(target, compared, id, keys);
  return keys.map((key) => ({ source: ours.get(key) ?? null, target: theirs.get(key) ?? null }));
}

async function rowsOf(
  books: Transaction,
  { table, from = table, columns, key, account = "account_id" }: Compared,
  id: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const rows = await queryRows<{ key: string; row: string }>(
    books,
    `SELECT ${keyText(key)} AS key, to_jsonb(compared)::text AS row
     FROM (SELECT account_id, ${columns} FROM ${from} WHERE ${account} = $1) AS compared
     WHERE ${keyText(key)} = ANY($2)`,
    [id, keys],
  );
  return new Map(rows.map(({ key: ofRow, row }) => [ofRow, row]));
}

/** The keys under which two queries, of a key and a digest and in the order of the key, differ. */
async function* keysThatDiffer(
  source: Transaction,
  target: Transaction,
  query: string,
): AsyncGenerator<string> {
  const [ours, theirs] = [digestsIn(source, query), digestsIn(target, query)];
  let [a, b] = await Promise.all([ours.next(), theirs.next()]);
  while (a.done !== true || b.done !== true) {
    const order = orderOf(a.value, b.value);
    const { key, digest } = order <= 0 ? (a.value ?? NONE) : (b.value ?? NONE);
    if (order !== 0 || digest !== b.value?.digest) yield Buffer.from(key, "hex").toString();
    [a, b] = await Promise.all([order <= 0 ? ours.next() : a, order >= 0 ? theirs.next() : b]);
  }
}

interface Digest {
  /** In hex, whose order is the same everywhere. */
  readonly key: string;
  readonly digest: string;
}

const NONE: Digest = { key: "", digest: "" };

/** An ended stream comes last. */
function orderOf(a: Digest | undefined, b: Digest | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

/** The rows of a query, streamed; a key comes as `\\\\x61636d65`, then what else there is, between tabs. */
async function* digestsIn(books: Transaction, query: string): AsyncGenerator<Digest, undefined> {
  let rest = "";
  for await (const chunk of copyStream(books, to(`COPY (${query}) TO STDOUT`))) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const tab = line.indexOf("\t");
      yield { key: line.slice(3, tab), digest: line.slice(tab + 1) };
    }
  }
  return undefined;
}

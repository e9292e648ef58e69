import { to } from "pg-copy-streams";
import { copyStream } from "../postgres/copy-stream.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { pastPartitions } from "../usage/past-usage.ts";
import { type ComparedTable, comparedTables } from "./compared-tables.ts";

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
  const past = await pastPartitions(source);
  for (const compared of comparedTables(past, erasures !== 0)) {
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

/** A digest of all rows of each account. */
function digestsOf({
  table,
  from = table,
  columns,
  account = "account_id",
}: ComparedTable): string {
  return `
    SELECT convert_to(${account}, 'UTF8'), sum(hash_record_extended(ROW(${columns}), 0)), count(*)
    FROM ${from}
    GROUP BY 1
    ORDER BY 1`;
}

/** A digest of each row of an account. */
function rowDigestsOf(
  books: Transaction,
  { table, from = table, columns, key, account = "account_id" }: ComparedTable,
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
  compared: ComparedTable,
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
  { table, from = table, columns, key, account = "account_id" }: ComparedTable,
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

/** The rows of a query, streamed; a key comes as `\\x61636d65`, then what else there is, between tabs. */
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

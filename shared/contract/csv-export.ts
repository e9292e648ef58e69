import { type Cell, csvLine } from "../core/text/csv-text.ts";

/** The columns of a list in CSV, each with its cell in a row. */
export type CsvTable<Row> = readonly (readonly [column: string, cell: (row: Row) => Cell])[];

/** The number of rows that an export has in memory at a time. */
export const CSV_PAGE = 1_000;

/**
 * A whole list as CSV: the columns' names with the first page, then the other pages. `view` turns rows
 * into what the reader may see.
 */
export async function* csvText<Row>(
  table: CsvTable<Row>,
  pages: AsyncIterable<readonly Row[]>,
  view: <Rows>(rows: Rows) => Rows = (rows) => rows,
): AsyncGenerator<string> {
  let names = csvLine(table.map(([column]) => column));
  for await (const rows of pages) {
    yield names +
      view(rows)
        .map((row) => csvLine(table.map(([, cell]) => cell(row))))
        .join("");
    names = "";
  }
}

/**
 * All pages of a list, at least one. `read` returns up to `CSV_PAGE` items after the last one of the page
 * before (null: from the start).
 */
export async function* pagesOf<T>(
  read: (last: T | null) => Promise<readonly T[]>,
): AsyncGenerator<readonly T[]> {
  let last: T | null = null;
  do {
    const page = await read(last);
    yield page;
    last = page.length < CSV_PAGE ? null : (page.at(-1) ?? null);
  } while (last !== null);
}

/** A list that is in memory already, page by page. */
export async function* slicesOf<T>(rows: readonly T[]): AsyncGenerator<readonly T[]> {
  yield rows.slice(0, CSV_PAGE);
  for (let at = CSV_PAGE; at < rows.length; at += CSV_PAGE) yield rows.slice(at, at + CSV_PAGE);
}

/** "acme-usage-2026-11-01-to-2026-11-28.csv", in UTC; characters that file names may not have become dashes. */
export function csvFileName(account: string, what: string, from?: number, to?: number): string {
  const range = [from, to].flatMap((at) => (at === undefined ? [] : [day(at)]));
  const name = [account, what, range.join("-to-")].filter((part) => part !== "").join("-");
  return `${name.replaceAll(/[^\w.-]+/g, "-")}.csv`;
}

function day(at: number): string {
  return new Date(at)
    .toISOString()
    .slice(0, 16)
    .replace("T00:00", "")
    .replace("T", "-")
    .replace(":", "");
}

import type { QueryResult, QueryResultRow } from "pg";

/** Reads rows a page at a time; `query` returns at most `size` rows after `last` (null: the first page). */
export async function* readPages<Row extends QueryResultRow>(
  size: number,
  query: (last: Row | null) => Promise<QueryResult<Row>>,
): AsyncGenerator<Row[]> {
  for (let last: Row | null = null; ; ) {
    const { rows }: QueryResult<Row> = await query(last);
    yield rows;
    if (rows.length < size) return;
    last = rows.at(-1) ?? null;
  }
}

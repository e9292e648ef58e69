import { pipeline } from "node:stream/promises";
import { from, to } from "pg-copy-streams";
import type { Transaction } from "./database.ts";

/** Rows to copy from one database into another, as they are. */
export interface RowsToCopy {
  /** A query, in the order of the columns. */
  readonly query: string;
  readonly table: string;
  readonly columns: string;
}

/** Copies rows between databases, few of them in memory at a time. */
export async function copyRows(
  source: Transaction,
  target: Transaction,
  { query, table, columns }: RowsToCopy,
): Promise<void> {
  await pipeline(
    source.query(to(`COPY (${query}) TO STDOUT (FORMAT binary)`)),
    target.query(from(`COPY ${table} (${columns}) FROM STDIN (FORMAT binary)`)),
  );
}

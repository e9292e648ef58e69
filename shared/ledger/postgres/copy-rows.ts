import { pipeline } from "node:stream/promises";
import { from, to } from "pg-copy-streams";
import { copyStream } from "./copy-stream.ts";
import type { Transaction } from "./database.ts";

/** Rows to copy from one database into another. */
export interface RowsToCopy {
  /** Selects the columns, in their order. */
  readonly query: string;
  readonly table: string;
  readonly columns: string;
}

/** Copies rows between databases as a stream: memory does not grow with their number. */
export async function copyRows(
  source: Transaction,
  target: Transaction,
  { query, table, columns }: RowsToCopy,
): Promise<void> {
  await pipeline(
    copyStream(source, to(`COPY (${query}) TO STDOUT (FORMAT binary)`)),
    copyStream(target, from(`COPY ${table} (${columns}) FROM STDIN (FORMAT binary)`)),
  );
}

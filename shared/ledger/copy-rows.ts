import { pipeline } from "node:stream/promises";
import { from } from "pg-copy-streams";
import { CopyBuffer } from "./copy-buffer.ts";
import type { Transaction } from "./database.ts";

// Postgres stores one piece while the next is built, and few are in memory. Just below a power of
// two, so that the buffer, which grows by doubling, ends there.
const PIECE = 60 << 10;

/** Sends rows to `COPY ... FROM STDIN (FORMAT binary)`; `put` writes one; returns how many were stored. */
export async function copyRows<T>(
  transaction: Transaction,
  statement: string,
  items: Iterable<T>,
  put: (rows: CopyBuffer, item: T) => void,
): Promise<number> {
  const copy = transaction.query(from(statement));
  await pipeline(piecesOf(items, put), copy);
  return copy.rowCount;
}

function* piecesOf<T>(
  items: Iterable<T>,
  put: (rows: CopyBuffer, item: T) => void,
): Generator<Buffer> {
  const rows = new CopyBuffer();
  for (const item of items) {
    put(rows, item);
    if (rows.length >= PIECE) yield rows.take();
  }
  yield rows.finish();
}

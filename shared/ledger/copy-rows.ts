import { pipeline } from "node:stream/promises";
import { type CopyStreamQuery, from } from "pg-copy-streams";
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
  const pieces = piecesOf(items, put);
  const first = pieces.next().value;
  const second = pieces.next().value;
  const copy = transaction.query(from(statement));
  // One piece, which is what few rows are, needs none of what a pipeline sets up.
  if (second === undefined) await send(copy, first);
  else await pipeline(joined([first, second], pieces), copy);
  return copy.rowCount;
}

function send(copy: CopyStreamQuery, piece: Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    copy.on("error", reject);
    copy.on("finish", resolve);
    copy.end(piece);
  });
}

function* joined(heads: readonly (Buffer | undefined)[], rest: Iterable<Buffer>) {
  for (const head of heads) if (head !== undefined) yield head;
  yield* rest;
}

function* piecesOf<T>(
  items: Iterable<T>,
  put: (rows: CopyBuffer, item: T) => void,
): Generator<Buffer, undefined> {
  const rows = new CopyBuffer();
  for (const item of items) {
    put(rows, item);
    if (rows.length >= PIECE) yield rows.take();
  }
  yield rows.finish();
}

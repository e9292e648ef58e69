import { pipeline } from "node:stream/promises";
import { from } from "pg-copy-streams";
import type { Transaction } from "./database.ts";

// One CopyData message holds at most this much.
const CHUNK = 1 << 20;

/** Sends the bytes of a `CopyBuffer` to `COPY ... FROM STDIN (FORMAT binary)`; returns the rows stored. */
export async function copyRows(
  transaction: Transaction,
  statement: string,
  bytes: Buffer,
): Promise<number> {
  const copy = transaction.query(from(statement));
  await pipeline(chunksOf(bytes), copy);
  return copy.rowCount;
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

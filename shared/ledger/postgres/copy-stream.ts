import { finished } from "node:stream";
import type { CopyStreamQuery, CopyToStreamQuery } from "pg-copy-streams";
import type { Transaction } from "./database.ts";

/**
 * Begins a COPY that is a stream. It has the connection to itself, since pg refuses streams where statements
 * share round trips.
 */
export function copyStream<T extends CopyStreamQuery | CopyToStreamQuery>(
  transaction: Transaction,
  stream: T,
): T {
  Reflect.set(transaction, "pipeline", false);
  finished(stream, () => Reflect.set(transaction, "pipeline", true));
  return transaction.query(stream);
}

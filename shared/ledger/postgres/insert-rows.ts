import { bigintArray, textArray } from "./array-literal.ts";
import { CopyBuffer } from "./copy-buffer.ts";
import { copyIn } from "./copy-in.ts";
import type { Transaction } from "./database.ts";
import { UUID_BYTES } from "./uuid-bytes.ts";

/** Writes rows field by field, in the order of the columns. */
export type RowWriter = Omit<CopyBuffer, "startRow" | "length" | "take" | "finish">;

/** Where rows go: `account_id, lot_id, ...` of a table. */
export interface Columns {
  readonly table: string;
  readonly columns: string;
}

/** A COPY costs two round trips and a stream: up to this many rows an INSERT is faster. */
const FEW = 4;

/** Stores any number of rows; `put` writes one. Returns the number stored. */
export async function insertRows<T>(
  transaction: Transaction,
  into: Columns,
  items: readonly T[],
  put: (rows: RowWriter, item: T) => void,
): Promise<number> {
  return items.length <= FEW
    ? insertFew(transaction, into, items, put)
    : copyMany(transaction, into, items, put);
}

async function insertFew<T>(
  transaction: Transaction,
  { table, columns }: Columns,
  items: readonly T[],
  put: (rows: RowWriter, item: T) => void,
): Promise<number> {
  const rows = items.map((item) => {
    const { writer, values } = openValues();
    put(writer, item);
    return values;
  });
  if (rows.length === 0) return 0;
  let next = 0;
  const places = rows.map((values) => `(${values.map(() => `$${++next}`).join(", ")})`);
  const { rowCount } = await transaction.query({
    name: `insert-${table}-${rows.length}-${next}`,
    text: `INSERT INTO ${table} (${columns}) VALUES ${places.join(", ")}`,
    values: rows.flat(),
  });
  return rowCount ?? 0;
}

/** A row's values as a query's parameters, in text; the columns give them their types. */
function openValues() {
  const values: (string | null)[] = [];
  const push = (value: string | null) => void values.push(value);
  const texts = (length: number, at: (index: number) => string) =>
    push(textArray(Array.from({ length }, (_, index) => at(index))));
  const numbers = (length: number, at: (index: number) => bigint | number) =>
    push(bigintArray(Array.from({ length }, (_, index) => at(index))));
  const number = (value: bigint | number) => push(String(value));
  const writer: RowWriter = {
    ...{ text: push, jsonb: push, uuid: push },
    uuidBytes: (bytes, from) => push(hexOf(bytes, from)),
    uuidBytesArray: (length, bytes, at) => texts(length, (index) => hexOf(bytes, at(index))),
    ...{ textArray: texts, jsonbArray: texts, uuidArray: texts },
    boolArray: (length, at) => texts(length, (index) => (at(index) ? "t" : "f")),
    null: () => push(null),
    ...{ int2: number, int4: number, int8: number },
    ...{ int2Array: numbers, int4Array: numbers, int8Array: numbers },
    timestamptz: (value) => push(new Date(value).toISOString()),
  };
  return { writer, values };
}

function hexOf(bytes: Uint8Array, from: number): string {
  return Buffer.from(bytes.subarray(from, from + UUID_BYTES)).toString("hex");
}

// Postgres stores one piece while the next is built, so few are in memory. Just below a power of two,
// because the buffer grows by doubling.
const PIECE = 60 << 10;

function copyMany<T>(
  transaction: Transaction,
  { table, columns }: Columns,
  items: readonly T[],
  put: (rows: RowWriter, item: T) => void,
): Promise<number> {
  const pieces = piecesOf(columns.split(",").length, items, put);
  return copyIn(transaction, `COPY ${table} (${columns}) FROM STDIN (FORMAT binary)`, pieces);
}

function* piecesOf<T>(
  fields: number,
  items: readonly T[],
  put: (rows: RowWriter, item: T) => void,
): Generator<Buffer, undefined> {
  const rows = new CopyBuffer();
  for (const item of items) {
    rows.startRow(fields);
    put(rows, item);
    if (rows.length >= PIECE) yield rows.take();
  }
  yield rows.finish();
}

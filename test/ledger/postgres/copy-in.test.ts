import { to } from "pg-copy-streams";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyIn } from "../../../shared/ledger/postgres/copy-in.ts";
import { copyStream } from "../../../shared/ledger/postgres/copy-stream.ts";
import {
  inTransaction,
  sqlState,
  type Transaction,
  UNIQUE_VIOLATION,
} from "../../../shared/ledger/postgres/database.ts";
import { together } from "../../../shared/ledger/postgres/together.ts";
import { type Books, openBooks } from "../../support/books/books.ts";

const COPY = "COPY number_copied FROM STDIN";
let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await books.database.query("CREATE TABLE number_copied (number integer PRIMARY KEY)");
});

afterAll(() => books?.close());

test("statements that do not wait for each other are all sent before the first answer is read", async () => {
  await inTransaction(books.database, async (transaction) => {
    const query = "SELECT extract(epoch FROM clock_timestamp())::float8 AS at";
    const asked = [transaction.query(query), copy(transaction, ["1\n"]), transaction.query(query)];
    // The process reads nothing meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    const [first, copied, last] = await Promise.all(asked);
    expect(copied).toBe(1);
    expect(at(last) - at(first)).toBeLessThan(0.3);
    await transaction.query("DELETE FROM number_copied");
  });

  function at(answer: unknown): number {
    return (answer as { rows: { at: number }[] }).rows[0]?.at ?? Number.NaN;
  }
});

describe("rows copied among other statements", () => {
  test("are there for those behind them, in all of their pieces", async () => {
    const pieces = Array.from({ length: 200 }, (_, piece) => numbers(piece * 1000, 1000));
    const { counted, copied } = await undone(async (transaction) => {
      const [rows, { rowCount }] = await Promise.all([
        copy(transaction, pieces),
        transaction.query("SELECT FROM number_copied"),
      ]);
      return { copied: rows, counted: rowCount };
    });
    expect({ copied, counted }).toEqual({ copied: 200_000, counted: 200_000 });
  });

  test.each([
    { fault: "a row is there already", pieces: ["7\n", "7\n"], state: UNIQUE_VIOLATION },
    { fault: "a row cannot be read", pieces: ["seven\n", "8\n"], state: "22P02" },
    { fault: "the table is missing", pieces: ["7\n"], table: "missing", state: "42P01" },
  ])("fail with their own error where $fault", async ({ pieces, table, state }) => {
    const text = COPY.replace("number_copied", table ?? "number_copied");
    const { error, answers } = await undone(async (transaction) => {
      const asked = [
        transaction.query("SELECT 1"),
        copyIn(transaction, text, pieces.map(Buffer.from)),
        transaction.query("SELECT 2"),
      ];
      const failed = await Promise.all(asked).catch((cause: unknown) => cause);
      return { error: failed, answers: await Promise.allSettled(asked) };
    });
    expect(sqlState(error)).toBe(state);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  });

  test("fail with the error of building them, and none is stored", async () => {
    const fault = new RangeError("too large for a column");
    const failed = await undone(async (transaction) => {
      const copied = copyIn(transaction, COPY, broken(fault)).catch((error: unknown) => error);
      return [await copied, await transaction.query("SELECT 1").catch(sqlState)];
    });
    expect(failed).toEqual([fault, "25P02"]);
  });
});

test("of statements sent together, the error is that of the one that failed, and nothing is under way", async () => {
  const failed = await undone(async (transaction) => {
    const late = async () => await copy(transaction, ["seven\n"]);
    const error: unknown = await together([
      transaction.query("SELECT 1"),
      late().then((copied) => copied),
      transaction.query("SELECT 2"),
    ]).catch((cause: unknown) => cause);
    return [sqlState(error), await transaction.query("SELECT 3").catch(sqlState)];
  });
  expect(failed).toEqual(["22P02", "25P02"]);
});

test("a stream has its connection to itself, which shares round trips again afterwards", async () => {
  await inTransaction(books.database, async (transaction) => {
    const stream = copyStream(transaction, to("COPY (SELECT generate_series(1, 3)) TO STDOUT"));
    expect(Buffer.concat(await stream.toArray()).toString()).toBe("1\n2\n3\n");
    expect(await copy(transaction, ["1\n", "2\n"])).toBe(2);
    expect(transaction.pipeline).toBe(true);
    await transaction.query("DELETE FROM number_copied");
  });
});

function copy(transaction: Transaction, pieces: readonly string[]): Promise<number> {
  return copyIn(transaction, COPY, pieces.map(Buffer.from));
}

function numbers(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `${from + index}\n`).join("");
}

function* broken(error: Error): Generator<Buffer> {
  yield Buffer.from("1\n");
  throw error;
}

/** What `work` returns from a transaction that is rolled back; its connection is used again. */
async function undone<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await books.database.connect();
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("ROLLBACK");
    const { rows } = await client.query("SELECT count(*)::integer FROM number_copied");
    expect(rows).toEqual([{ count: 0 }]);
    return result;
  } finally {
    client.release();
  }
}

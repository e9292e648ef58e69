import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { endExpiredHolds } from "../../../shared/ledger/holds/end-expired-holds.ts";
import { DIVISION_BY_ZERO, type Transaction } from "../../../shared/ledger/postgres/database.ts";
import { inTwoRoundTrips } from "../../../shared/ledger/postgres/two-round-trips.ts";
import { type Books, connect, openAccount, openBooks } from "../../support/books/books.ts";
import { askedHold, changeHold } from "../../support/books/holds.ts";

/** A transaction of two round trips is one, whatever fails in it. */
let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(() => books?.close());

/** A pool of one connection, and the statements that are sent over it, in their order. */
function openOne() {
  const database = connect(books.url, 1);
  onTestFinished(() => database.end());
  const sent: string[] = [];
  database.on("connect", (client) => {
    const query = client.query.bind(client);
    vi.spyOn(client, "query").mockImplementation((...of: Parameters<typeof query>) => {
      const [first] = of as unknown as [string | { readonly text: string }];
      sent.push(typeof first === "string" ? first : first.text);
      return query(...of);
    });
  });
  return { database, sent };
}

const note = (transaction: Transaction, id: string) =>
  transaction.query("INSERT INTO balance_change (account_ids) VALUES (ARRAY[$1])", [id]);

async function noted(id: string): Promise<number> {
  const text = "SELECT FROM balance_change WHERE account_ids = ARRAY[$1]";
  return (await books.database.query(text, [id])).rowCount ?? 0;
}

test("what it writes is there once it has returned", async () => {
  const { database } = openOne();
  const lock = async (transaction: Transaction) => (await transaction.query("SELECT 17 AS n")).rows;
  const decide = async (transaction: Transaction, [row]: { n: number }[]) => ({
    result: row?.n,
    write: () => note(transaction, "whole"),
  });
  expect(await inTwoRoundTrips(database, lock, decide)).toBe(17);
  expect(await noted("whole")).toBe(1);
});

test("nothing is written where a part fails, and the connection works on", async () => {
  const { database, sent } = openOne();
  const failing = inTwoRoundTrips(
    database,
    async () => undefined,
    async (transaction) => ({
      result: undefined,
      write: () =>
        Promise.all([
          note(transaction, "part"),
          transaction.query("SELECT 1 / 0"),
          note(transaction, "part"),
        ]),
    }),
  );
  await expect(failing).rejects.toMatchObject({ code: DIVISION_BY_ZERO });
  expect(sent).toContain("COMMIT");
  await database.query("SELECT 1");
  expect(await noted("part")).toBe(0);
});

test("nothing is decided where BEGIN fails", async () => {
  const { database } = openOne();
  const client = await database.connect();
  await client.query("BEGIN");
  await expect(client.query("SELECT 1 / 0")).rejects.toThrow();
  client.release(); // in a transaction that has failed, which takes no BEGIN
  const decide = vi.fn(async () => ({ result: undefined, write: async () => undefined }));
  await expect(inTwoRoundTrips(database, async () => undefined, decide)).rejects.toThrow("aborted");
  expect(decide).not.toHaveBeenCalled();
});

test("of holds, nothing is sent behind COMMIT, and all in two round trips", async () => {
  await openAccount(books, "trips", { lots: [{ credits: 100n }] });
  const { database, sent } = openOne();
  await changeHold({ database }, askedHold("trips", "run", 60n, { ttlMs: 1_000 }));
  expect(sent.at(-1)).toBe("COMMIT");
  sent.length = 0;
  expect(await endExpiredHolds(database, Date.now() + 60_000)).toBe(1);
  expect(sent.at(-1)).toBe("COMMIT");
  expect(sent.filter((text) => /^\s*(INSERT|UPDATE)/.test(text))).toHaveLength(4);
});

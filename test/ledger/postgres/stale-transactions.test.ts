import pg from "pg";
import { from } from "pg-copy-streams";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endStaleTransactions } from "../../../shared/ledger/postgres/end-stale-transactions.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { superuserUrl } from "../../support/stack/template.ts";

/** A consumer that stalls in the middle of a transaction, and those that wait for its rows. */
const NAME = "stale-metering";
let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(() => books?.close());

test.each([
  { where: "in the middle of a COPY", copying: true },
  { where: "between two statements", copying: false },
])("one that stalls $where is ended, and its rows are unlocked", async ({ copying }) => {
  const still = await connect(NAME);
  const lost = new Promise((resolve) => still.once("error", resolve));
  await still.query("BEGIN");
  await still.query("SELECT pg_advisory_xact_lock(4711)");
  if (copying) still.query(from("COPY outbox FROM STDIN")).on("error", () => undefined);

  const other = await connect("other");
  const waiting = other.query("SELECT pg_advisory_lock(4711)");
  const end = () => endStaleTransactions(books.database, { name: NAME, olderThanMs: 200 });
  await eventually("it was ended", async () => (await end()) === 1);
  await Promise.all([waiting, lost]);
  await other.end();
});

test("one that is young, one that waits for a lock and one of another application are left alone", async () => {
  const another = await connect("another");
  await another.query("BEGIN");
  await another.query("SELECT pg_advisory_xact_lock(4712)");
  const waits = await connect(NAME);
  await waits.query("BEGIN");
  const locked = waits.query("SELECT pg_advisory_xact_lock(4712)");
  await books.database.query("SELECT pg_sleep(0.4)");
  const young = await connect(NAME);
  await young.query("BEGIN");
  await young.query("SELECT 1");
  const end = (olderThanMs: number) =>
    endStaleTransactions(books.database, { name: NAME, olderThanMs });
  expect(await end(350)).toBe(0);
  // Its backend may not wait for its client yet.
  await eventually("the young one is ended once it is old", async () => (await end(0)) === 1);
  await another.query("COMMIT");
  await locked;
  for (const client of [another, waits]) await client.end();
});

async function connect(name: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: superuserUrl(books.url),
    application_name: name,
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

import { afterAll, beforeAll, expect, test } from "vitest";
import { checkOutbox } from "../../../shared/kafka/health/check-outbox.ts";
import { openHealth } from "../../../shared/runtime/health/health.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";

const LIMIT_MS = 200;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(async () => {
  await books?.close();
});

const RECORD =
  "INSERT INTO outbox (account_id, topic, sequence, record) VALUES ('acme', 'any', 7, '{}')";

test.each([
  ["a record", RECORD, "outbox", /record any acme 7 waits/],
  [
    "a balance",
    "INSERT INTO balance_change (account_ids) VALUES ('{acme}')",
    "balance_change",
    /balance waits/,
  ],
])("%s that nobody publishes is named, until it is gone", async (_, insert, table, named) => {
  const { database } = books;
  const health = openHealth(LIMIT_MS, new AbortController().signal);
  checkOutbox(health, database, LIMIT_MS);
  const outbox = async () => (await health.readiness())["outbox"];
  expect(await outbox()).toBeNull();
  const began = Date.now();
  await database.query(insert);
  await eventually("it is named", async () => named.test((await outbox())?.reason ?? ""));
  expect((await outbox())?.since).toBeGreaterThanOrEqual(began);
  await database.query(`DELETE FROM ${table}`);
  await eventually("nothing is", async () => (await outbox()) === null);
});

test("a balance that nobody publishes is named while others come before it, and records are published", async () => {
  const { database } = books;
  const health = openHealth(LIMIT_MS, new AbortController().signal);
  checkOutbox(health, database, LIMIT_MS);
  let left = 0xffff_ffff;
  const add = () => {
    left -= 1;
    const changeId = `${left.toString(16)}-0000-4000-8000-000000000000`;
    const text = "INSERT INTO balance_change (change_id, account_ids) VALUES ($1, '{acme}')";
    return database.query(text, [changeId]);
  };
  await database.query(RECORD);
  await eventually("it is named", async () => {
    await add();
    await database.query("UPDATE outbox SET sequence = sequence + 1");
    return (
      (await health.readiness())["outbox"]?.reason === "a changed balance waits to be published"
    );
  });
  await database.query("DELETE FROM balance_change");
  await database.query("DELETE FROM outbox");
});

test("a record that is refused waits for nobody", async () => {
  const { database } = books;
  const health = openHealth(0, new AbortController().signal);
  checkOutbox(health, database, 0.001);
  await database.query(
    `${RECORD.replace("record)", "record, refused)").replace("'{}')", "'{}', 'why')")}`,
  );
  expect((await health.readiness())["outbox"]).toBeNull();
});

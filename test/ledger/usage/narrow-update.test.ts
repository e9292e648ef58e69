import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";
import { eventually } from "../../support/eventually.ts";

/** A debit changes no indexed column: Postgres then makes a heap-only update, which its statistics show. */
let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
});

afterAll(() => books?.close());

test("debits of an account with expiring lots update no index of its row", async () => {
  const expiresAt = Date.now() + 86_400_123;
  await openAccount(books, "narrow", { lots: [{ credits: 1_000n, expiresAt }] });
  // The grant, which sets when something falls due, is also counted late.
  await eventually("Postgres has counted the grant", async () => (await updates()).all > 0);
  const before = await updates();
  const usage = usageBatches(books, "narrow");
  for (let batch = 0; batch < 5; batch += 1) {
    await usage.debit([{ eventId: `e-${batch}`, accountId: "narrow", quantity: 3n }]);
  }
  await eventually("Postgres has counted", async () => (await updates()).all - before.all >= 5);
  const after = await updates();
  expect(after.heapOnly - before.heapOnly).toBe(after.all - before.all);
});

test("a debit writes nothing of its account but what was drawn", async () => {
  await openAccount(books, "only-draws", { lots: [{ credits: 1_000n }] });
  await books.database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'more than drawn';
    END
    $$;
    CREATE TRIGGER refuse BEFORE UPDATE OF granted ON account FOR EACH ROW EXECUTE FUNCTION refuse()`);
  const usage = usageBatches(books, "only-draws");
  const debit = () => usage.debit([{ eventId: "e", accountId: "only-draws", quantity: 3n }]);
  expect(await debit()).toMatchObject({ metered: 1 });
});

async function updates(): Promise<{ all: number; heapOnly: number }> {
  const { rows } = await books.database.query<{ all: number; heapOnly: number }>(
    `SELECT n_tup_upd::integer AS all, n_tup_hot_upd::integer AS "heapOnly"
     FROM pg_stat_user_tables WHERE relname = 'account'`,
  );
  return rows[0] ?? { all: 0, heapOnly: 0 };
}

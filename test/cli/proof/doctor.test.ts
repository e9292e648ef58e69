import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  for (const account of ["good", "moved"]) {
    await openAccount(books, account, { lots: [{ credits: 10n }] });
  }
  await usageBatches(books, "doctor").debit([
    { eventId: "a", accountId: "good", quantity: 3n },
    { eventId: "b", accountId: "moved", quantity: 4n },
  ]);
});

afterAll(() => books?.close());

test("good books: each invariant is named and holds", async () => {
  const { code, stdout } = await run("doctor");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^(ok {6}.+\n)+$/);
  expect(stdout.split("\n").length).toBeGreaterThan(25);
});

test("an account moved by hand: exit code 1, with the broken invariants, their meaning and the account", async () => {
  await books.database.query(
    "UPDATE account SET position = position + 1 WHERE account_id = 'moved'",
  );
  const { code, stdout } = await run("doctor --json");
  expect(code).toBe(1);
  const { invariants } = JSON.parse(stdout);
  expect(invariants.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([
    {
      holds: "usage, expiries, charges, reversals and deductions tile the line from 0 to position",
      ok: false,
      accounts: ["moved"],
      means: "Credits were drawn without a record or entry, or the other way round.",
    },
  ]);
});

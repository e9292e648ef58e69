import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { carryUsage } from "../../../infra/postgres/carry-usage.ts";
import { migrate } from "../../../infra/postgres/migrate.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openPayer, sellCredits, use } from "../../support/books/payers.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";

const MIGRATIONS = new URL("../../../infra/postgres/migrations/", import.meta.url);
const NOW = Date.now();

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
  await openSubscriber(books, "subscribed", { at: NOW, voices: 1 });
  await openPayer(books, "paying");
  await use(books, { paying: 1n }, NOW);
  // What the tests add to the view does not go down with it.
  await books.database.query("DROP FUNCTION change_usage_by_hand CASCADE");
  await books.database.query("DROP FUNCTION add_record_by_hand");
  await books.database.query("DROP FUNCTION change_spend_by_hand CASCADE");
});

afterAll(() => books?.close());

test("no two migrations have the same number, so that their order is certain", async () => {
  const files = await readdir(MIGRATIONS);
  const numbers = files.map((file) => file.slice(0, 4));
  expect(new Set(numbers).size).toBe(files.length);
});

test("of every table, operating says what bounds it", async () => {
  const { rows } = await books.database.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
  );
  const page = await readFile(new URL("../../../docs/operating.md", import.meta.url), "utf8");
  const [, section = ""] = page.split("## What grows");
  const named = [...(section.split("\n## ", 1)[0] ?? "").matchAll(/`(\w+)`/g)].map(
    ([, name]) => name,
  );
  const short = { budget_added: "_added", usage_identity_2: "_2" };
  const missing = rows.filter(({ name }) => !named.includes(name));
  expect(missing.map(({ name }) => name).sort()).toEqual(Object.keys(short));
  expect(named).toEqual(expect.arrayContaining(Object.values(short)));
});

test("pseudonyms are formed without a call for each value", async () => {
  const forming =
    "SELECT erased_value(pseudonym_key, asked_by), erased_reference(account_id, asked_by)";
  const { rows } = await books.database.query<{ "QUERY PLAN": string }>(
    `EXPLAIN (VERBOSE) ${forming} FROM erasure`,
  );
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(plan).toContain("sha256(");
  expect(plan).not.toMatch(/erased_(value|reference)\(/);
});

test("every migration goes down, from the last to the first, and up again, on books in use", async () => {
  const { rows } = await books.database.query<{ name: string }>(
    "SELECT name FROM migration ORDER BY name",
  );
  const names = rows.map(({ name }) => name);
  const before = await schema();
  for (const name of names.toReversed()) {
    // It goes up again on the rows that are left, and leaves what was there before.
    const here = await schema();
    expect(await step("down")).toEqual([name]);
    if (name === "0028_usage_pages_only") await carry();
    expect(await step("up")).toEqual([name]);
    expect(await schema()).toEqual(here);
    expect(await step("down")).toEqual([name]);
  }
  expect(await schema()).toEqual([]);
  expect(await migrate(books.database)).toEqual(names);
  expect(await schema()).toEqual(before);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

/** Usage is carried over to pages before the migration that drops its tables. */
async function carry(): Promise<void> {
  const client = await books.database.connect();
  try {
    await carryUsage(client, { repeatsSince: 0, onProgress: () => undefined });
  } finally {
    client.release();
  }
}

async function step(direction: "up" | "down"): Promise<string[]> {
  const client = await books.database.connect();
  try {
    const undone = await runner({
      dbClient: client,
      dir: fileURLToPath(MIGRATIONS),
      direction,
      count: 1,
      migrationsTable: "migration",
      log: () => undefined,
    });
    return undone.map(({ name }) => name);
  } finally {
    client.release();
  }
}

// Columns in whichever order: one that went and came back is the last. Months are added by metering.
const SCHEMA = `
  SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line
  FROM information_schema.columns
  WHERE table_schema = 'public' AND table_name <> 'migration' AND table_name NOT LIKE 'usage_page_2%'
  UNION ALL
  SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migration'
    AND tablename NOT LIKE 'usage_page_2%'
  UNION ALL
  SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid))
  FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace AND conrelid <> 'migration'::regclass
    AND conrelid::regclass::text NOT LIKE 'usage_page_2%'
  ORDER BY line`;

async function schema(): Promise<string[]> {
  const { rows } = await books.database.query<{ line: string }>(SCHEMA);
  return rows.map(({ line }) => line);
}

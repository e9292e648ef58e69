import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openBooks } from "../../support/books/books.ts";

/**
 * Tables that can be distributed by account: a Postgres that is spread over machines enforces a key within one of
 * them only. Source: docs/performance.md, "Past one machine".
 */
let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(() => books?.close());

/** Name accounts in what is theirs, but are found by another key: they stay whole, in one place. */
const BY_ANOTHER_KEY = {
  dead_letter: "is a message's, and found by its place in a topic",
  unmatched_charge: "is the gateway's, which names an account or none",
  usage_identity_clash: "is found by its identity, into which the account is mixed",
};

async function names(query: string): Promise<string[]> {
  const { rows } = await books.database.query<{ name: string }>(query);
  return rows.map(({ name }) => name);
}

const TABLES = `
  SELECT oid, relname AS name
  FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`;

const OF_ACCOUNTS = `
  SELECT attrelid AS oid, attnum
  FROM pg_attribute
  WHERE attname = 'account_id' AND attnum > 0 AND NOT attisdropped`;

test("every key on a table about accounts has the account", async () => {
  const others = await names(`
    SELECT DISTINCT tables.name
    FROM (${TABLES}) AS tables
    JOIN (${OF_ACCOUNTS}) AS of_accounts USING (oid)
    JOIN pg_index ON indrelid = tables.oid
    WHERE indisunique AND NOT of_accounts.attnum = ANY(indkey)
    ORDER BY tables.name`);
  expect(others).toEqual(Object.keys(BY_ANOTHER_KEY));
});

test("no table about accounts refers to another but by account", async () => {
  const others = await names(`
    SELECT conname AS name
    FROM pg_constraint
    JOIN (${OF_ACCOUNTS}) AS referred ON referred.oid = confrelid
    LEFT JOIN (${OF_ACCOUNTS}) AS referring ON referring.oid = conrelid
    WHERE contype = 'f'
      AND array_position(confkey, referred.attnum) IS DISTINCT FROM array_position(conkey, referring.attnum)`);
  expect(others).toEqual([]);
});

test("nothing counts or reacts across accounts: no sequence but of migrations, and no trigger", async () => {
  const sequences = await names(`
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'`);
  // Those of views are for changes by hand.
  const triggers = await names(`
    SELECT tgname AS name FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND relkind <> 'v'`);
  expect({ sequences, triggers }).toEqual({ sequences: ["migration_id_seq"], triggers: [] });
});

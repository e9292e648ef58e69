/** Old and new versions meet on one database: what waits, what is refused, and what each says. */
import { readdir } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrate } from "../../../infra/postgres/migrate.ts";
import { LOCK_WAIT_MS, retryLocks } from "../../../infra/postgres/retry-locks.ts";
import { setUp } from "../../../infra/set-up.ts";
import { type Database, inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { requireBooks } from "../../../shared/ledger/postgres/require-books.ts";
import { NEWEST_MIGRATION } from "../../../shared/ledger/postgres/require-schema.ts";
import { type Books, connect, openBooks } from "../../support/books/books.ts";
import { drawdown } from "../../support/cli/drawdown.ts";
import { startScheduler } from "../../support/processes/scheduler-process.ts";
import { superuserUrl } from "../../support/stack/template.ts";

const MIGRATIONS = new URL("../../../infra/postgres/migrations/", import.meta.url);
const NEWER = "9999_from_the_future";

let books: Books;

beforeEach(async () => {
  books = await openBooks();
});

afterEach(() => books.close());

test("the newest migration that services know of is the newest that there is", async () => {
  const files = (await readdir(MIGRATIONS)).sort();
  expect(files.at(-1)).toBe(`${NEWEST_MIGRATION}.sql`);
});

test("tables that are only added to suit the version before; its set-up changes nothing, and says so", async () => {
  await books.database.query("INSERT INTO migration (name, run_on) VALUES ($1, now())", [NEWER]);
  await requireBooks(books.database);
  const url = superuserUrl(books.url);
  const env = { ...process.env, DATABASE_URL: url, DATABASE_OWNER_URL: url };
  // No registry and no Kafka is asked before.
  const alone = { ...env, SCHEMA_REGISTRY_URL: "http://127.0.0.1:9", KAFKA_BROKERS: "127.0.0.1:9" };
  await expect(setUp(alone, () => undefined)).rejects.toThrow(
    /^Postgres at 127\.0\.0\.1:\d+\/books_\w+ was set up by a newer version: its migrations 9999_from_the_future are not known here\. Nothing was changed\./,
  );
});

test("services and commands refuse tables that a newer version has taken something from, and say what to run", async () => {
  await books.database.query("INSERT INTO migration (name, run_on) VALUES ($1, now())", [NEWER]);
  await books.database.query("UPDATE oldest_version SET migration = $1", [NEWER]);
  const why = new RegExp(
    "^Postgres at \\S+/books_\\w+ has the tables of a newer version \\(migration 9999_from_the_future\\), which need a " +
      `version with migration 9999_from_the_future or newer; this one has ${NEWEST_MIGRATION}: run the newer version`,
  );
  const scheduler = startScheduler({ ...process.env, DATABASE_URL: books.url });
  expect(await scheduler.ended).toBe(1);
  expect(scheduler.log.find(({ level }) => level === "fatal")).toMatchObject({
    err: { message: expect.stringMatching(why) },
  });
  const asked = await drawdown(["lots", "acme"], { env: { DATABASE_URL: books.url } });
  expect(asked.code).toBe(1);
  expect(asked.stderr).toMatch(why);
});

test("a service of a newer version does not start before its set-up has run", async () => {
  await books.database.query("DELETE FROM migration WHERE name = $1", [NEWEST_MIGRATION]);
  await expect(requireBooks(books.database)).rejects.toThrow(
    `does not have the tables of this version (no migration ${NEWEST_MIGRATION}); run set-up of this version ` +
      "(npm run set-up, or node infra/set-up.js in its image)",
  );
});

test("migrating waits for a reader, holds nobody up meanwhile, says whom it waits for, and goes on after it", async () => {
  await undoSince("0051_overdraft"); // which locks the table of accounts
  const reader = connect(superuserUrl(books.url), 1);
  const others = connect(superuserUrl(books.url), 1);
  const waited: string[] = [];
  const migrating = async (options = {}) => {
    const onWait = (holders: string) => void waited.push(holders);
    const locks = { onWait, pauseMs: 1, ...options };
    return await migrate(books.database, { maxBehindMs: 0, onProgress: () => undefined, locks });
  };
  await inTransaction(reader, async (transaction) => {
    await transaction.query("SELECT FROM account LIMIT 1"); // as an export, which stays for long
    const [longest] = await Promise.all([
      longestRead(others, () => waited.length >= 2),
      expect(migrating({ tries: 2 })).rejects.toThrow(
        "the tables stay locked by drawdown-test: end what it does, and run set-up again",
      ),
    ]);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(2 * LOCK_WAIT_MS);
  });
  expect(waited).toEqual(["drawdown-test", "drawdown-test"]);
  const names = await migrating();
  expect([names.at(0), names.at(-1)]).toEqual(["0051_overdraft", NEWEST_MIGRATION]);
  await requireBooks(books.database);
  await Promise.all([reader.end(), others.end()]);
});

test("who holds locks is named to a role without any rights of a superuser", async () => {
  const others = connect(superuserUrl(books.url), 2);
  const waited: string[] = [];
  await inTransaction(others, async (reader) => {
    await reader.query("SELECT FROM account LIMIT 1");
    const client = await others.connect();
    await client.query("CREATE ROLE plain_migrator");
    await client.query("GRANT ALL ON account TO plain_migrator; SET ROLE plain_migrator");
    const options = { what: "accounts", tries: 1, pauseMs: 1 };
    const onWait = (holders: string) => void waited.push(holders);
    const locked = retryLocks(client, { ...options, onWait }, () =>
      client.query("DO $$ BEGIN LOCK TABLE account NOWAIT; END $$"),
    );
    await expect(locked).rejects.toThrow("accounts stay locked by drawdown-test: ");
    await client.query("RESET ROLE; REVOKE ALL ON account FROM plain_migrator");
    await client.query("DROP ROLE plain_migrator");
    client.release();
  });
  expect(waited).toEqual(["drawdown-test"]);
  await others.end();
});

/** The longest time that reading accounts took, in milliseconds. */
async function longestRead(database: Database, isOver: () => boolean): Promise<number> {
  let longest = 0;
  while (!isOver()) {
    const began = performance.now();
    await database.query("SELECT FROM account LIMIT 1");
    longest = Math.max(longest, performance.now() - began);
    await setImmediate();
  }
  return longest;
}

async function undoSince(name: string): Promise<void> {
  const files = (await readdir(MIGRATIONS)).map((file) => file.replace(/\.sql$/, ""));
  const client = await books.database.connect();
  try {
    await runner({
      dbClient: client,
      dir: fileURLToPath(MIGRATIONS),
      direction: "down",
      count: files.filter((file) => file >= name).length,
      migrationsTable: "migration",
      log: () => undefined,
    });
  } finally {
    client.release();
  }
}

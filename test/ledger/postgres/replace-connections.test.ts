import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { replaceUseless } from "../../../shared/ledger/postgres/replace-connections.ts";
import { type Books, connect, openBooks } from "../../support/books/books.ts";
import { openPostgresProxy, type PostgresProxy } from "../../support/processes/tcp-proxy.ts";

/** Connections that are of no use any more: silent ones, and those to a server that only reads. */
const SILENT = /^the connection to Postgres went silent$/;
/** What is waited for is silent for five seconds; then the server is asked. */
const WITHIN_MS = 10_000;
let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(() => books?.close());

interface Opened {
  readonly pool: Database;
  readonly proxy: PostgresProxy;
}

/** Runs a test with a pool through a proxy, and with these many open connections. */
function withPool(connections: number, test: (opened: Opened) => Promise<void>) {
  return async () => {
    const proxy = await openPostgresProxy(books.url);
    const pool = connect(proxy.url, connections);
    const opening = Array.from({ length: connections }, () => pool.query("SELECT pg_sleep(0.1)"));
    await Promise.all(opening);
    expect(pool.totalCount).toBe(connections);
    await test({ pool, proxy });
    await pool.end();
    await proxy.close();
  };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error("it succeeded"),
    (error: Error) => error,
  );
}

test.concurrent(
  "all idle connections go silent: one statement fails, an outage, and the next one works",
  withPool(4, async ({ pool, proxy }) => {
    const from = performance.now();
    expect(proxy.swallow()).toBe(4);
    const failure = await failureOf(pool.query("SELECT 1"));
    expect(failure.message).toMatch(SILENT);
    expect(isDatabaseOutage(failure)).toBe(true);
    await pool.query("SELECT 1");
    expect(performance.now() - from).toBeLessThan(WITHIN_MS);
  }),
);

test.concurrent(
  "a connection goes silent in a transaction: what it has locked is unlocked",
  withPool(1, async ({ pool, proxy }) => {
    const from = performance.now();
    const failure = failureOf(
      inTransaction(pool, async (transaction) => {
        await transaction.query("SELECT pg_advisory_xact_lock(4720)");
        proxy.swallow();
        await transaction.query("SELECT 1");
      }),
    );
    expect((await failure).message).toMatch(SILENT);
    await books.database.query("SELECT pg_advisory_xact_lock(4720)");
    expect(performance.now() - from).toBeLessThan(WITHIN_MS);
  }),
);

test.concurrent(
  "several statements under way on a silent connection all fail",
  withPool(1, async ({ pool, proxy }) => {
    const failures = inTransaction(pool, async (transaction) => {
      proxy.swallow();
      const begun = Array.from({ length: 3 }, () => failureOf(transaction.query("SELECT 1")));
      return Promise.all(begun);
    }).catch((error: Error) => error);
    expect(String(await failures)).toMatch(/not queryable|terminated|silent/);
    await pool.query("SELECT 1");
  }),
);

test.concurrent(
  "a statement that Postgres works on for longer is waited for, and so is one that waits for a lock",
  withPool(2, async ({ pool }) => {
    const holder = await books.database.connect();
    await holder.query("SELECT pg_advisory_lock(4721)");
    const statements = Promise.all([
      pool.query("SELECT pg_sleep(8)"),
      pool.query("SELECT pg_advisory_lock(4721)"),
    ]);
    await books.database.query("SELECT pg_sleep(8)");
    await holder.query("SELECT pg_advisory_unlock(4721)");
    holder.release();
    await statements;
  }),
);

test.concurrent("it is asked for every five seconds, and an outage of new connections alone does not end it", async () => {
  const begun = performance.now();
  let asked = 0;
  const server = {
    get connectionString() {
      asked += 1;
      const isReachable = performance.now() - begun < 18_500;
      return isReachable ? books.url : "postgres://drawdown@127.0.0.1:1/none";
    },
  };
  const pool = new pg.Pool({ connectionString: books.url, max: 1, pipeline: true });
  replaceUseless(pool, server);
  await pool.query("SELECT pg_sleep(22)");
  expect(asked).toBeGreaterThanOrEqual(3);
  expect(asked).toBeLessThanOrEqual(7);
  await pool.end();
});

test("limits of a role or a database do not end what is meant to take longer", async () => {
  const name = new URL(books.url).pathname.slice(1);
  await books.database.query(`ALTER DATABASE ${name} SET statement_timeout = 100`);
  await withPool(1, async ({ pool }) => {
    await pool.query("SELECT pg_sleep(0.3)");
    await books.database.query(`ALTER DATABASE ${name} RESET statement_timeout`);
  })();
});

test("a server that only reads after a failover is an outage, and its connections are replaced", async () => {
  const name = new URL(books.url).pathname.slice(1);
  await books.database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await withPool(3, async ({ pool }) => {
    await books.database.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    const write = "DELETE FROM outbox";
    const failure = await failureOf(inTransaction(pool, (transaction) => transaction.query(write)));
    expect(failure.message).toMatch(/read-only transaction/);
    expect(isDatabaseOutage(failure)).toBe(true);
    for (let count = 0; count < 3; count += 1) {
      await inTransaction(pool, (transaction) => transaction.query(write));
    }
  })();
});

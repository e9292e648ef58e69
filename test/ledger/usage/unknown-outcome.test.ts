import { afterAll, beforeAll, expect, test } from "vitest";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { sqlState } from "../../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import {
  type Books,
  connect,
  openAccount,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";
import type { Statement } from "../../support/processes/postgres-frames.ts";
import {
  type Fate,
  openPostgresProxy,
  type PostgresProxy,
} from "../../support/processes/tcp-proxy.ts";

const HOUR = 60 * 60_000;

/** The connection to Postgres fails at a statement; metering tries the same batch again. */
let books: Books;
let proxy: PostgresProxy;
let throughProxy: Books["database"];

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  proxy = await openPostgresProxy(books.url);
  throughProxy = connect(proxy.url);
});

afterAll(async () => {
  await throughProxy?.end();
  await proxy?.close();
  await books?.close();
});

const CASES: { name: string; fate: Fate; when(statement: Statement): boolean; nextTry: string }[] =
  [
    {
      name: "COMMIT succeeds, but its answer is lost",
      fate: "lose the answer",
      when: ({ sql }) => sql === "COMMIT",
      nextTry: "read_before",
    },
    {
      name: "COMMIT succeeds, and nothing is heard any more",
      fate: "withhold the answer",
      when: ({ sql }) => sql === "COMMIT",
      nextTry: "read_before",
    },
    {
      name: "nothing gets through from COMMIT on",
      fate: "freeze",
      when: ({ sql }) => sql === "COMMIT",
      nextTry: "committed",
    },
    {
      name: "the connection is lost before COMMIT arrives",
      fate: "cut",
      when: ({ sql }) => sql === "COMMIT",
      nextTry: "committed",
    },
    {
      name: "the connection is lost amid the records",
      fate: "cut",
      when: ({ sql }) => sql.startsWith("UPDATE account"),
      nextTry: "committed",
    },
    {
      name: "the connection is lost right after BEGIN",
      fate: "lose the answer",
      when: ({ sql }) => sql === "BEGIN",
      nextTry: "committed",
    },
  ];

test.each(CASES)(
  "$name: it is an outage, and the next try meters exactly once",
  async (example) => {
    const account = `account-${example.name.replaceAll(" ", "-")}`;
    await openAccount(books, account, { lots: [{ credits: 100n }] });
    const batch = usageBatches(books, account).next([
      // Of an hour before, whose spend is written apart from the account.
      { eventId: "a", accountId: account, quantity: 3n, occurredAt: Date.now() - 2 * HOUR },
      { eventId: "b", accountId: account, quantity: 4n },
    ]);
    const caught = proxy.catchNext(example.when, example.fate);
    const error = await debitUsage(throughProxy, ratesReader(), batch).catch((e: unknown) => e);
    await caught;
    expect(isDatabaseOutage(error), String(error)).toBe(true);

    const outcome = await debitUsage(throughProxy, ratesReader(), batch);
    expect(outcome.runs).toMatchObject([{ kind: example.nextTry }]);
    expect(await positionOf(account)).toBe(7n);
    expect(await brokenInvariants(books.database)).toEqual([]);
  },
);

test("a connection lost between two statements is an outage too", async () => {
  const account = "account-between";
  await openAccount(books, account, { lots: [{ credits: 100n }] });
  const batch = usageBatches(books, account).next([
    { eventId: "a", accountId: account, quantity: 3n },
  ]);
  const readRates = ratesReader();
  const error = await debitUsage(
    books.database,
    async (transaction) => {
      const rates = await readRates(transaction);
      await endOpenTransactions();
      return rates;
    },
    batch,
  ).catch((thrown: unknown) => thrown);
  expect(isDatabaseOutage(error), `${sqlState(error)} ${error}`).toBe(true);
  const outcome = await debitUsage(books.database, readRates, batch);
  expect(outcome.runs).toEqual([{ kind: "committed" }]);
  expect(await positionOf(account)).toBe(3n);
});

async function positionOf(account: string): Promise<bigint | undefined> {
  const { rows } = await books.database.query<{ position: bigint }>(
    "SELECT position FROM account WHERE account_id = $1",
    [account],
  );
  return rows[0]?.position;
}

/** As Postgres does when it is stopped, or when a transaction has been idle for too long. */
async function endOpenTransactions(): Promise<void> {
  await books.database.query(
    `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle in transaction'`,
  );
}

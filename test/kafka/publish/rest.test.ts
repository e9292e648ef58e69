/** After publishing balances as much is left to metering as their number says, however long Kafka took. */
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { retryOutages } from "../../../shared/kafka/client/retry-outages.ts";
import { keepBalancesPublished } from "../../../shared/kafka/publish/keep-balances-published.ts";
import { watchLoop } from "../../../shared/runtime/health/watch-loop.ts";
import { openBooks } from "../../support/books/books.ts";
import { silent } from "../../support/kafka/kafka.ts";

const OPEN = `
  INSERT INTO account (account_id, granted, time_zone, currency, created_at)
  SELECT 'account-' || i, 0, 'UTC', 'USD', date_trunc('milliseconds', now())
  FROM generate_series(1, $1::integer) AS i`;
const CHANGE = "INSERT INTO balance_change (account_ids) SELECT array_agg(account_id) FROM account";
const COMMIT_MS = 400;

test.each([
  { accounts: 1, restMs: 200 },
  { accounts: 4_000, restMs: 540 },
  { accounts: 20_000, restMs: 1_400 },
])("after $accounts accounts, published slowly, it rests for $restMs ms", async (given) => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  await books.database.query(OPEN, [given.accounts]);
  await books.database.query(CHANGE);
  const stopping = new AbortController();
  const waits = retryOutages({ logger: silent, stopping: stopping.signal });
  const rests: number[] = [];
  await keepBalancesPublished({
    database: books.database,
    publisher: {
      begin: async () => undefined,
      publish: async () => undefined,
      commit: () => wait(COMMIT_MS),
      close: async () => undefined,
    },
    waits: {
      ...waits,
      async pause(ms) {
        rests.push(ms);
        stopping.abort();
      },
    },
    ...{ tellComplete: async () => undefined, lookEveryMs: 100, loop: watchLoop() },
  });
  expect(rests).toEqual([given.restMs]);
});

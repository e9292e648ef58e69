/** Until when all balances are published is told once it is true, and by a process that stands by, too. */
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { retryOutages } from "../../../shared/kafka/client/retry-outages.ts";
import type { FencedPublisher } from "../../../shared/kafka/publish/fenced-publisher.ts";
import { keepBalancesPublished } from "../../../shared/kafka/publish/keep-balances-published.ts";
import { MOST_CHANGES } from "../../../shared/kafka/publish/publish-balances.ts";
import { becomeBalancePublisher } from "../../../shared/ledger/outbox/balance-changes.ts";
import { inTransaction, queryRow } from "../../../shared/ledger/postgres/database.ts";
import { watchLoop } from "../../../shared/runtime/health/watch-loop.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { silent } from "../../support/kafka/kafka.ts";

let books: Books;
let stop: () => Promise<void> = async () => undefined;

beforeEach(async () => {
  books = await openBooks();
});

afterEach(async () => {
  await stop();
  await books.close();
});

test("nothing is told while some of what waited is left for the next turn", async () => {
  await change(MOST_CHANGES.transactions + 50);
  const waitingWhenTold: number[] = [];
  keepPublished(async () => void waitingWhenTold.push(await countWaiting()));
  await eventually("it is told", () => waitingWhenTold.length > 0);
  expect(waitingWhenTold).toEqual([0]);
});

test("what is told is a time before the look that found nothing", async () => {
  const told: number[] = [];
  const before = Date.now();
  keepPublished(async (until) => void told.push(until));
  await eventually("it is told twice", () => told.length === 2);
  expect(told[0]).toBeGreaterThanOrEqual(before - 1_000);
  expect(told[1]).toBeGreaterThanOrEqual((told[0] ?? 0) + 1_000);
  expect(told[1]).toBeLessThanOrEqual(Date.now() + 1_000);
});

test("a process that stands by tells it as soon as nothing waits", async () => {
  await change(1);
  let told = 0;
  await inTransaction(books.database, async (other) => {
    await becomeBalancePublisher(other);
    keepPublished(async () => {
      told += 1;
    });
    await wait(4_000);
    expect(told).toBe(0);
    await other.query("DELETE FROM balance_change");
  });
  await eventually("it is told", () => told > 0);
});

async function change(transactions: number): Promise<void> {
  await books.database.query(
    "INSERT INTO balance_change (account_ids) SELECT '{nobody}' FROM generate_series(1, $1::integer)",
    [transactions],
  );
}

async function countWaiting(): Promise<number> {
  const text = "SELECT count(*)::integer AS waiting FROM balance_change";
  return (await queryRow<{ waiting: number }>(books.database, text))?.waiting ?? 0;
}

/** A process that sends nothing to Kafka. */
function keepPublished(tellComplete: (until: number) => Promise<void>): void {
  const stopping = new AbortController();
  const nothing = async () => undefined;
  const publisher: FencedPublisher = {
    ...{ begin: nothing, commit: nothing, close: nothing, publish: nothing },
  };
  const ended = keepBalancesPublished({
    ...{ database: books.database, publisher, tellComplete },
    waits: retryOutages({ logger: silent, stopping: stopping.signal }),
    ...{ lookEveryMs: 100, loop: watchLoop() },
  });
  stop = async () => {
    stopping.abort();
    await ended;
  };
}

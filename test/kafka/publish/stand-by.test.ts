/** A process that stands by leaves publishing to the other one for as long as that one gets on with it. */
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type OutageRetry, retryOutages } from "../../../shared/kafka/client/retry-outages.ts";
import type { FencedPublisher } from "../../../shared/kafka/publish/fenced-publisher.ts";
import { keepBalancesPublished } from "../../../shared/kafka/publish/keep-balances-published.ts";
import { becomeBalancePublisher } from "../../../shared/ledger/outbox/balance-changes.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { watchLoop } from "../../../shared/runtime/health/watch-loop.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { silent } from "../../support/kafka/kafka.ts";

const ADD = "INSERT INTO balance_change (account_ids) VALUES ('{acme}') RETURNING change_id";
const TAKE = "DELETE FROM balance_change WHERE change_id = $1";
/** Longer than two looks are apart. */
const TAKEN_AFTER_MS = 2_500;
const EVERY_MS = 400;

test("while the other one is slow it stands by, and takes over once that one takes nothing more", async () => {
  const books = await openBooks();
  const { stop, hasBegun } = await standBy(books);
  onTestFinished(async () => {
    await stop();
    await books.close();
  });
  const taken: Promise<unknown>[] = [];
  for (const until = Date.now() + 8_000; Date.now() < until; await wait(EVERY_MS)) {
    const { rows } = await books.database.query<{ change_id: string }>(ADD);
    const take = () => books.database.query(TAKE, [rows[0]?.change_id]);
    taken.push(wait(TAKEN_AFTER_MS).then(take));
    expect(hasBegun()).toBe(false);
  }
  await Promise.all(taken);
  expect(hasBegun()).toBe(false);
  await books.database.query(ADD);
  await eventually("it takes over", hasBegun, 8_000);
});

/** A process that has found another one publishing. */
async function standBy({ database }: Books) {
  await database.query(ADD);
  const stopping = new AbortController();
  let begun = false;
  const nothing = async () => undefined;
  const publisher: FencedPublisher = {
    ...{ commit: nothing, close: nothing, publish: nothing },
    async begin() {
      begun = true;
    },
  };
  const waits = retryOutages({ logger: silent, stopping: stopping.signal });
  let pauses = 0;
  const counting: OutageRetry = {
    ...waits,
    pause(ms) {
      pauses += 1;
      return waits.pause(ms);
    },
  };
  const { running } = await inTransaction(database, async (other) => {
    await becomeBalancePublisher(other);
    const parts = {
      ...{ database, publisher, waits: counting, lookEveryMs: 100, loop: watchLoop() },
      tellComplete: nothing,
    };
    const running = keepBalancesPublished(parts);
    await eventually("it has looked", () => pauses > 0);
    await other.query("DELETE FROM balance_change");
    return { running };
  });
  return {
    hasBegun: () => begun,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

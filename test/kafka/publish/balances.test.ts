import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { retryOutages } from "../../../shared/kafka/client/retry-outages.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import {
  type FencedPublisher,
  openFencedPublisher,
} from "../../../shared/kafka/publish/fenced-publisher.ts";
import { keepBalancesPublished } from "../../../shared/kafka/publish/keep-balances-published.ts";
import { publishBalances } from "../../../shared/kafka/publish/publish-balances.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { type Database, queryRow } from "../../../shared/ledger/postgres/database.ts";
import { watchLoop } from "../../../shared/runtime/health/watch-loop.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { type Books, connect, openAccount, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { lastVersions } from "../../support/kafka/balances-topic.ts";
import { type HoldingProxy, openHoldingProxy } from "../../support/kafka/holding-proxy.ts";
import { silent, testKafka } from "../../support/kafka/kafka.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

/**
 * `billing.balances`: whoever stands still meanwhile, an account's newest state is its last record. The role
 * is this file's own, since others may use its broker.
 */
const kafka = testKafka();
const prefix = `balances-${randomBytes(4).toString("hex")}`;

/** They look into the books until they are told to stop. */
let publishing: (() => Promise<void>)[] = [];
let books: Books;
let proxy: HoldingProxy;
let quick: FencedPublisher;
let slow: FencedPublisher;

beforeAll(async () => {
  proxy = await openHoldingProxy();
});

afterAll(async () => {
  await proxy?.close();
});

beforeEach(async () => {
  books = await openBooks();
  quick = openBalancePublisher(kafka);
  slow = openBalancePublisher(proxy.kafka);
});

afterEach(async () => {
  for (const stop of publishing) await stop();
  publishing = [];
  await Promise.all([quick.close(), slow.close()]);
  await books.close();
});

const STEPS = [
  "initProducerId",
  "addPartitionsToTransaction",
  "produce",
  "endTransaction",
] as const;

test.each(STEPS)(
  "a publisher that stands still at its request %s does not publish last",
  async (step) => {
    const account = await openMoved(step);
    if (step !== "initProducerId") await publishBalances(books.database, slow);
    await move(account);
    const held = proxy.holdNext(step);
    const standing = publishBalances(books.database, slow).catch(() => null);
    await held;
    await cutOtherConnections();
    await move(account);
    await untilPublished(quick);
    proxy.release();
    expect(await standing, "it has published nothing that counts").toBeNull();
    await untilPublished(quick);
    await expectNewestLast([account]);
  },
);

test("a publisher whose connection to Kafka stands still for 14 seconds does not publish last", async () => {
  const account = await openMoved("still");
  await publishBalances(books.database, slow);
  await move(account);
  const since = Date.now();
  const held = proxy.holdNext("produce");
  const standing = publishBalances(books.database, slow).catch(() => null);
  await held;
  for (let moves = 0; moves < 5; moves += 1) await move(account);
  await untilPublished(quick);
  await eventually("14 seconds have passed", () => Date.now() > since + 14_000);
  proxy.release();
  expect(await standing).toBeNull();
  await expectNewestLast([account]);
}, 90_000);

test("an account that moves at any moment of a publication is published as it is then", async () => {
  const through = await openPostgresProxy(books.url);
  const database = connect(through.url);
  onTestFinished(async () => {
    await database.end();
    await through.close();
  });
  const accounts: string[] = [];
  for (let met = 1; met > 0; ) {
    const account = await openMoved(`step-${met}`);
    let statements = 0;
    const nth = () => ++statements === met;
    void through.catchNext(nth, () => move(account));
    await publishBalances(database, quick);
    through.release();
    accounts.push(account);
    await untilPublished(quick);
    met = statements < met ? 0 : met + 1;
  }
  expect(accounts.length, "more than a statement").toBeGreaterThan(4);
  await expectNewestLast(accounts);
});

test("of two publishers at once, one publishes and the other leaves it to that one", async () => {
  await openMoved("two");
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  onTestFinished(() => resolve());
  const first = publishBalances(books.database, {
    ...quick,
    async publish(records) {
      reach();
      await goOn;
      await quick.publish(records);
    },
  });
  await reached;
  let begun = 0;
  const counting: FencedPublisher = {
    ...slow,
    begin() {
      begun += 1;
      return slow.begin();
    },
  };
  const second = publishBalances(books.database, counting);
  expect(await Promise.race([second, first])).toBeNull();
  expect(begun, "it fences nobody").toBe(0);
  resolve();
  expect(await first).toEqual({ accounts: 1, isAll: true });
});

test("publishers in turn take over from each other", async () => {
  const account = await openMoved("turns");
  for (const publisher of [quick, slow, quick, slow]) {
    await move(account);
    await untilPublished(publisher);
    await expectNewestLast([account]);
  }
});

test("of two processes, one publishes; the other takes over when that one is gone", async () => {
  const account = await openMoved("processes");
  const commits: string[] = [];
  const start = (name: string, publisher: FencedPublisher) => {
    const stopping = new AbortController();
    const ended = keepBalancesPublished({
      database: books.database,
      publisher: {
        ...publisher,
        async commit() {
          await publisher.commit();
          commits.push(name);
        },
      },
      waits: retryOutages({ logger: silent, stopping: stopping.signal }),
      tellComplete: async () => undefined,
      lookEveryMs: 100,
      loop: watchLoop(),
    });
    const stop = async () => {
      stopping.abort();
      await ended;
    };
    publishing.push(stop);
    return stop;
  };
  const stop = new Map([
    ["quick", start("quick", quick)],
    ["slow", start("slow", slow)],
  ]);
  const until = Date.now() + 6_000;
  await eventually("some seconds have passed", async () => {
    await move(account);
    return Date.now() > until;
  });
  const turns = commits.filter((name, at) => name !== commits[at - 1]).length;
  expect(turns, "each takes over once at most").toBeLessThanOrEqual(3);
  expect(commits.length).toBeGreaterThan(5);

  const active = commits.at(-1) ?? "";
  await stop.get(active)?.();
  await move(account);
  await eventually("the other takes over", async () => (await countWaiting()) === 0, 10_000);
  expect(commits.at(-1)).not.toBe(active);
  await expectNewestLast([account]);
});

test.each([
  { noted: "in one transaction", transactions: 1 },
  { noted: "in forty transactions", transactions: 40 },
])(
  "accounts that moved $noted are published about once, however often publishing is cut off",
  async ({ transactions }) => {
    const accounts = 40_000;
    await moveMany(accounts, transactions);
    let published = 0;
    let left = 0;
    const cutOff = pretending(async (records) => {
      left -= records.length;
      if (left < 0) throw new Error("cut off");
      published += records.length;
    });
    for (let cuts = 0; (await countWaiting()) > 0; cuts += 1) {
      expect(cuts, "it never ends").toBeLessThan(4);
      left = 25_000;
      await publishBalances(books.database, cutOff).catch(() => undefined);
    }
    expect(published).toBeGreaterThanOrEqual(accounts);
    expect(published).toBeLessThan(accounts * 1.3);
  },
);

test("a publication of many accounts makes way after three seconds", async () => {
  await moveMany(40_000, 1);
  let published = 0;
  const slow = pretending(async ({ length }) => {
    published += length;
    await wait(350);
  });
  const startedAt = Date.now();
  const result = await publishBalances(books.database, slow);
  expect(Date.now() - startedAt, "of 14 s that all would take").toBeLessThan(9_000);
  expect(result).toEqual({ accounts: published, isAll: false });
  expect(published).toBeLessThan(40_000);
  expect(await countWaiting()).toBeGreaterThan(0);
});

/** A publisher that sends nothing. */
function pretending(publish: FencedPublisher["publish"]): FencedPublisher {
  const nothing = async () => undefined;
  return { begin: nothing, commit: nothing, close: nothing, publish };
}

async function moveMany(accounts: number, transactions: number): Promise<void> {
  await books.database.query(
    `INSERT INTO account (account_id, granted, time_zone, currency, created_at)
     SELECT $1 || '-many-' || number, 1000000000, 'UTC', 'USD', now()
     FROM generate_series(1, $2::integer) AS number`,
    [prefix, accounts],
  );
  await books.database.query(
    `INSERT INTO balance_change (account_ids)
     SELECT array_agg(account_id) FROM account GROUP BY abs(hashtext(account_id)) % $1`,
    [transactions],
  );
}

function openBalancePublisher(of: typeof kafka): FencedPublisher {
  const registry = openRegistry(readSettings(process.env).registry);
  return openFencedPublisher(of, registry, prefix);
}

async function openMoved(name: string): Promise<string> {
  const account = `${prefix}-${name}`;
  await openAccount(books, account);
  await move(account);
  return account;
}

async function move(account: string): Promise<void> {
  const lot = {
    lotId: crypto.randomUUID(),
    credits: 1n,
    source: "promotion",
    reference: "",
  } as const;
  const grant = { ...lot, end: { kind: "never" } } as const;
  await grantCredits(books.database, toAccountId(account), grant, Date.now());
}

async function versionOf(account: string): Promise<bigint | undefined> {
  const text = "SELECT version FROM account WHERE account_id = $1";
  return (await queryRow<{ version: bigint }>(books.database, text, [account]))?.version;
}

/** Readers see what was committed once Kafka has marked it, an instant later. */
async function expectNewestLast(accounts: readonly string[]): Promise<void> {
  const newest = await Promise.all(accounts.map(versionOf));
  await expect.poll(() => lastVersions(kafka, accounts), { timeout: 10_000 }).toEqual(newest);
}

async function untilPublished(publisher: FencedPublisher): Promise<void> {
  await eventually("no balance waits", async () => {
    await publishBalances(books.database, publisher);
    return (await countWaiting()) === 0;
  });
}

async function countWaiting(): Promise<number> {
  const text = "SELECT count(*)::integer AS waiting FROM balance_change";
  return (await queryRow<{ waiting: number }>(books.database, text))?.waiting ?? 0;
}

/** Ends open transactions, as Postgres does with one that has been idle for ten seconds. */
async function cutOtherConnections(database: Database = books.database): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle in transaction'`,
  );
}

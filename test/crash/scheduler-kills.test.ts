import { afterEach, beforeEach, expect, test } from "vitest";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { recordUsageComplete } from "../../shared/ledger/books/usage-complete.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { copySubscriber, openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { eventually } from "../support/eventually.ts";
import { collectTopic, testKafka } from "../support/kafka/kafka.ts";
import type { Statement } from "../support/processes/postgres-frames.ts";
import { startScheduler } from "../support/processes/scheduler-process.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import { openPostgresProxy, type PostgresProxy } from "../support/processes/tcp-proxy.ts";

/** The scheduler as a real process, killed, stopped and cut off in the middle of a run. */
const DAY = 24 * 60 * 60_000;
/** For a run over many accounts, on a busy machine. */
const WITHIN_MS = 50_000;
/** Settled by three transactions, two of them concurrently. */
const FEW = 2_200;
/** A process may settle a thousand accounts beside the transaction in which it is killed, seven times. */
const MANY = 6_200;

let books: Books;
let proxy: PostgresProxy;
let scheduler: ServiceProcess | null = null;
let account: string;
let accounts: number;

beforeEach(async () => {
  books = await openBooks();
  proxy = await openPostgresProxy(books.url);
  await openCatalogue(books);
});

afterEach(async () => {
  await scheduler?.kill();
  await proxy.close();
  await books.close();
});

test("killed at each statement of a run, and right after COMMIT: everything is posted and published once", async () => {
  await openAccounts(MANY);
  const credits = await collectTopic<{ sequence: bigint }>(testKafka(), SCHEMAS.credits);
  const early = [/FOR NO KEY UPDATE/, /UPDATE account/, /COPY lot/, /COPY payment/];
  for (const step of [...early, /COPY outbox/, /COMMIT/]) {
    const caught = proxy.catchNext((statement) => isRun(statement, step), "freeze");
    start();
    await caught;
    await kill();
  }
  const committed = proxy.catchNext((statement) => isRun(statement, /COMMIT/), "lose the answer");
  start();
  await committed;
  await kill();
  await start().says(/^run$/, WITHIN_MS);
  await expectEverythingPosted();

  await eventually("all is published", async () => (await count("outbox")) === 0, 60_000);
  const told = () =>
    new Set(
      credits.received
        .filter(({ key }) => key?.startsWith(account) === true)
        .map(({ key, sequence }) => `${key} ${sequence}`),
    ).size;
  // The first two entries were copied, not posted.
  const posted = (await count("entry")) - 2 * MANY;
  await eventually("all is told", () => told() >= posted).catch(() => undefined);
  expect(told()).toBe(posted);
  await credits.stop();
}, 180_000);

test("asked to stop in the middle of a run, it exits cleanly after the transactions under way", async () => {
  await openAccounts(MANY);
  const caught = proxy.catchNext(
    (statement) => isRun(statement, /COMMIT/),
    async () => void scheduler?.stop(),
  );
  const stopped = start();
  await caught;
  expect(await stopped.ended).toBe(0);
  expect(stopped.log.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  const turned = await count("schedule WHERE period > 0");
  expect(turned).toBeGreaterThanOrEqual(1_000);
  // Two concurrently: the one caught, those under way, and what may begin before the signal arrives.
  expect(turned).toBeLessThanOrEqual(4_000);
  await start().says(/^run$/, WITHIN_MS);
  await expectEverythingPosted();
}, 90_000);

test("cut off from Postgres in the middle of a run, it logs that, waits and continues", async () => {
  await openAccounts(FEW);
  const cut = proxy.catchNext((statement) => isRun(statement, /COPY entry/), "cut");
  const survivor = start();
  await cut;
  await survivor.says(/^waiting for Postgres$/);
  const run = await survivor.says(/^run$/);
  // It does not report what was under way on the other connection.
  expect(run["accounts"]).toBeGreaterThanOrEqual(accounts - 1_000);
  await expectEverythingPosted();
  expect(await survivor.stop()).toBe(0);
}, 60_000);

test("a failed run is not a crash: the next one tries again", async () => {
  await openAccounts(FEW);
  await books.database.query("ALTER TABLE usage_complete RENAME TO elsewhere");
  const process = start();
  await process.says(/^the run failed; the next one tries again$/);
  await books.database.query("ALTER TABLE elsewhere RENAME TO usage_complete");
  await eventually("all is posted", async () => (await count("schedule WHERE period > 0")) > 0);
  await eventually("its run ends", () =>
    process.log.some((line) => line.msg === "run" && line["accounts"] !== 0),
  );
  await expectEverythingPosted();
  expect(await process.stop()).toBe(0);
}, 60_000);

test("started while Postgres is down, it waits and runs as soon as it is back; so do several", async () => {
  await openAccounts(FEW);
  const port = Number(new URL(proxy.url).port);
  await proxy.close();
  const waiting = start("0 0 29 2 *");
  await waiting.says(/^waiting for Postgres$/);
  proxy = await openPostgresProxy(books.url, port);
  const other = startScheduler(environment(books.url, "0 0 29 2 *"));
  await Promise.all([waiting.says(/^run$/), other.says(/^run$/)]);
  await expectEverythingPosted();
  expect(await Promise.all([waiting.stop(), other.stop()])).toEqual([0, 0]);
}, 60_000);

/** A subscriber, who is owed months, and copies. */
async function openAccounts(copies: number): Promise<void> {
  account = `killed-${Date.now()}`;
  accounts = copies + 1;
  await openSubscriber(books, account, { at: Date.now() - 100 * DAY, voices: 1 });
  await copySubscriber(books, account, copies);
  await recordUsageComplete(books.database, Date.now());
}

function start(cron?: string): ServiceProcess {
  scheduler = startScheduler(environment(proxy.url, cron));
  return scheduler;
}

async function kill(): Promise<void> {
  proxy.release();
  await scheduler?.kill();
}

function environment(databaseUrl: string, cron = "* * * * * *"): NodeJS.ProcessEnv {
  return { ...process.env, DATABASE_URL: databaseUrl, SCHEDULER_CRON: cron };
}

/** A statement of the settling transaction; relay and balances have transactions too. */
function isRun({ sql, earlier }: Statement, step: RegExp): boolean {
  const [, first = ""] = [...earlier, sql];
  return first.includes("FOR NO KEY UPDATE") && step.test(sql);
}

async function expectEverythingPosted(): Promise<void> {
  const { rows } = await books.database.query<{ told: string; accounts: number }>(
    `SELECT told, count(*)::integer AS accounts FROM (
       SELECT account_id, concat(
         (SELECT string_agg(kind || ' ' || reference, ', ' ORDER BY sequence)
          FROM entry WHERE entry.account_id = account.account_id), ', ',
         (SELECT string_agg(payment_id, ', ' ORDER BY created_at)
          FROM payment WHERE payment.account_id = account.account_id)) AS told
       FROM account
     ) AS accounts GROUP BY told`,
  );
  const told = expect.stringMatching(/grant.*expiry.*, fee:1:0, fee:1:1, fee:1:2/);
  expect(rows).toEqual([{ told, accounts }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
}

async function count(table: string): Promise<number> {
  const { rows } = await books.database.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM ${table}`,
  );
  return rows[0]?.n ?? -1;
}

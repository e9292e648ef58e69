/** Metering, commands and schedulers settle the same account concurrently without a deadlock. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import type { MonthHistory } from "../../model/month-history.ts";
import { type HistoryBooks, openHistoryBooks } from "../../month/open-history.ts";
import { playCommand, runScheduler } from "../../month/play-command.ts";
import { batchOf } from "../../support/books/batch-of.ts";
import { connect } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { eventually } from "../../support/eventually.ts";
import { openPostgresProxy, type PostgresProxy } from "../../support/processes/tcp-proxy.ts";

const SUBSCRIBED = Date.UTC(2026, 0, 15);
const TURN = Date.UTC(2026, 1, 1);
const NAMES = ["by the scheduler", "by a command"];
const HISTORY: MonthHistory = {
  seed: 0,
  accounts: NAMES.map((id) => ({ id, timeZone: "UTC", currency: "USD", threshold: 0 })),
  steps: [],
};

let books: HistoryBooks;
let proxy: PostgresProxy;

beforeAll(async () => {
  books = await openHistoryBooks(HISTORY);
  proxy = await openPostgresProxy(books.url);
});

afterAll(async () => {
  await proxy?.close();
  await books?.close();
});

describe("a month that metering and another process post concurrently is posted once", () => {
  test.each([
    { account: NAMES[0] ?? "", settle: () => runScheduler(books.database, TURN + 1) },
    { account: NAMES[1] ?? "", settle: () => give(NAMES[1] ?? "", TURN + 1) },
  ])("$account", async ({ account, settle }) => {
    const how = { plan: "starter", interval: "month", renewal: "first_of_month" } as const;
    const step = { at: SUBSCRIBED, account, kind: "subscribe", ...how } as const;
    expect(await playCommand(books.database, step)).toBe("subscribed");

    const meddled = Promise.withResolvers<unknown>();
    const isLate = ({ sql }: { sql: string }) => /^(UPDATE account|INSERT INTO entry)\b/.test(sql);
    void proxy.catchNext(isLate, async () => {
      const settling = settle().then(meddled.resolve, meddled.resolve);
      const done = settling.then(() => true);
      await eventually(
        "the other one is done or waits",
        async () => (await Promise.race([done, Promise.resolve(false)])) || (await somebodyWaits()),
      );
    });
    const metered = await debit(account);
    expect(await meddled.promise).toBe(account === NAMES[0] ? undefined : "granted");
    expect(metered).toMatchObject({ metered: 1 });
    expect(await turnsOf(account)).toBe(1);
    expect(await brokenInvariants(books.database)).toEqual([]);
  });
});

function give(account: string, at: number): Promise<string> {
  const end = { kind: "never" } as const;
  return playCommand(books.database, { at, account, kind: "grant", lot: "gift", credits: 1, end });
}

/** One event after the turn, by way of the proxy. */
async function debit(accountId: string) {
  const database = connect(proxy.url, 1);
  const partition = NAMES.indexOf(accountId);
  const place = { eventId: "e", accountId, meter: "token", quantity: 1n, partition, offset: 0n };
  const rest = { source: "", dimensions: {}, quantities: {}, holdId: null };
  const event = { ...place, occurredAt: TURN + 1, ...rest };
  try {
    const run = { partition, fetchedFrom: 0n, nextOffset: 1n, events: [event] };
    return await debitUsage(database, ratesReader(), batchOf([run], { now: TURN + 1 }));
  } finally {
    await database.end();
  }
}

async function somebodyWaits(): Promise<boolean> {
  const { rowCount } = await books.database.query(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rowCount !== 0;
}

async function turnsOf(account: string): Promise<number> {
  const { rowCount } = await books.database.query(
    "SELECT FROM entry WHERE account_id = $1 AND lot_id = 'plan:1:1'",
    [toAccountId(account)],
  );
  return rowCount ?? 0;
}

import { Temporal } from "temporal-polyfill";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { recordUsageComplete } from "../../../shared/ledger/books/usage-complete.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import {
  addTotals,
  EMPTY_TOTALS,
  previewSchedule,
  type RunTotals,
  runSchedule,
  type ScheduleRun,
} from "../../../shared/ledger/month/run-schedule.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { type Books, connect, openAccount, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { copySubscriber, openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

/** Runs of the scheduler over real books, with the clock passed in. */
const CREDIT = 1_000_000n;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GRACE = 15 * MINUTE;

const SUBSCRIBED = Date.UTC(2026, 8, 10, 9);
/** Credits given on subscribing then end as the turn of November comes. */
const SEPTEMBER = Date.UTC(2026, 8, 1);
const OCTOBER = Date.UTC(2026, 9, 1);
const NOVEMBER = Date.UTC(2026, 10, 1);
const DECEMBER = Date.UTC(2026, 11, 1);
const JANUARY = Date.UTC(2027, 0, 1);

let books: Books;

beforeEach(async () => {
  books = await openBooks();
  await openCatalogue(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

describe("the month's credits", () => {
  test("come at the first instant of the month by the clock, also when no usage is known", async () => {
    await openSubscriber(books, "acme", { at: SUBSCRIBED });
    expect(await run({ clock: OCTOBER - 1 })).toEqual(EMPTY_TOTALS);
    expect(await run({ clock: OCTOBER })).toEqual({
      ...EMPTY_TOTALS,
      accounts: 1,
      grants: { count: 1, credits: 100n * CREDIT },
      fees: 1,
    });
    expect(await run({ clock: OCTOBER })).toEqual(EMPTY_TOTALS);
    expect(await entriesOf("acme")).toEqual(["grant 100 plan:1:0", "grant 100 plan:1:1"]);
  });

  test("come by the account's own calendar", async () => {
    await openSubscriber(books, "kolkata", { at: SUBSCRIBED, timeZone: "Asia/Kolkata" });
    await openSubscriber(books, "denver", { at: SUBSCRIBED, timeZone: "America/Denver" });
    const half = OCTOBER - 5.5 * HOUR;
    expect((await run({ clock: half - 1 })).accounts).toBe(0);
    expect((await run({ clock: half })).accounts).toBe(1);
    expect((await run({ clock: OCTOBER + 6 * HOUR - 1 })).accounts).toBe(0);
    expect((await run({ clock: OCTOBER + 6 * HOUR })).accounts).toBe(1);
  });

  test("come in every time zone that there is, each at its own first instant", async () => {
    const turns = new Map<Instant, number>();
    const october = Temporal.PlainDate.from("2026-10-01");
    for (const timeZone of Intl.supportedValuesOf("timeZone")) {
      await openSubscriber(books, timeZone, { at: SUBSCRIBED, timeZone });
      const turn = october.toZonedDateTime({ timeZone }).epochMilliseconds;
      turns.set(turn, (turns.get(turn) ?? 0) + 1);
    }
    const clocks = [...turns.keys()].sort((a, b) => a - b);
    const came: [Instant, number][] = [];
    for (const clock of clocks) came.push([clock, (await run({ clock })).grants.count]);
    expect(new Map(came)).toEqual(turns);
  });

  test("are there before usage that precedes the scheduler's run, so there is no low balance", async () => {
    await openSubscriber(books, "acme", { at: SUBSCRIBED, threshold: 10n * CREDIT });
    await debit(OCTOBER - DAY, [{ eventId: "most of it", quantity: 89n }]);
    const told = await debit(OCTOBER + 1, [
      { eventId: "the first of the month", quantity: 50n, occurredAt: OCTOBER },
    ]);
    expect(told).toMatchObject({ metered: 1, lowBalances: 0 });
    expect((await run({ clock: OCTOBER + 1 })).accounts).toBe(0);
    expect(await accountOf("acme")).toMatchObject({ granted: 200n, position: 139n });
  });

  test("of three months of downtime come as if there had been none", async () => {
    await openSubscriber(books, "asleep", { at: SEPTEMBER, voices: 2 });
    await openSubscriber(books, "awake", { at: SEPTEMBER, voices: 2 });
    const clocks = [OCTOBER, NOVEMBER, DECEMBER].flatMap((turn) => [turn, turn + GRACE]);
    for (const clock of clocks) {
      await runOnly("awake", { clock, completeUntil: clock - GRACE });
    }
    await run({ clock: DECEMBER + GRACE, completeUntil: DECEMBER });
    expect(await entriesOf("asleep")).toEqual(await entriesOf("awake"));
    expect(await entriesOf("asleep")).toEqual([
      "grant 100 plan:1:0",
      "add_on_charge -40 add-on:voice:1:0:0-2",
      "grant 100 plan:1:1",
      "add_on_charge -40 add-on:voice:1:1:0-2",
      "grant 100 plan:1:2",
      "expiry -20 expiry:plan:1:0",
      "add_on_charge -40 add-on:voice:1:2:0-2",
      "grant 100 plan:1:3",
      "expiry -60 expiry:plan:1:1",
      "add_on_charge -40 add-on:voice:1:3:0-2",
    ]);
    const { version: _, ...awake } = await accountOf("awake");
    expect(await accountOf("asleep")).toMatchObject(awake);
  });
});

describe("expiries and the turn's add-on charges", () => {
  test("wait for the grace, and then until usage is complete up to them", async () => {
    await openSubscriber(books, "acme", { at: SEPTEMBER, voices: 1 });
    await run({ clock: OCTOBER + GRACE, completeUntil: OCTOBER });
    await run({ clock: NOVEMBER });
    const later = NOVEMBER + 3 * DAY;
    for (const completeUntil of [null, NOVEMBER - GRACE, NOVEMBER - 1]) {
      expect(await run({ clock: later, completeUntil }), `${completeUntil}`).toEqual(EMPTY_TOTALS);
    }
    expect(await run({ clock: later, completeUntil: NOVEMBER })).toMatchObject({
      accounts: 1,
      expiries: { count: 1, credits: 60n * CREDIT },
      charges: { count: 1, credits: 20n * CREDIT },
    });
    expect(await run({ clock: later, completeUntil: later })).toEqual(EMPTY_TOTALS);
  });

  test("do not delay a later turn while metering is stopped", async () => {
    const monthly = { at: SUBSCRIBED, renewal: "day_of_month" } as const;
    await openSubscriber(books, "acme", monthly);
    const end = Date.UTC(2026, 9, 2);
    await grant("acme", { lotId: "promotion", credits: 5n * CREDIT, at: end });
    expect((await run({ clock: end + DAY })).accounts).toBe(0);
    expect(await run({ clock: Date.UTC(2026, 9, 10) })).toMatchObject({
      grants: { count: 1 },
      expiries: { count: 0 },
    });
  });

  test("wait, so that the expired lot pays for usage that is late across a turn and an expiry", async () => {
    await openSubscriber(books, "acme", { at: SEPTEMBER });
    await run({ clock: NOVEMBER + GRACE + MINUTE, completeUntil: NOVEMBER - 1 });
    await debit(NOVEMBER + GRACE + 2 * MINUTE, [
      { eventId: "late", quantity: 30n, occurredAt: NOVEMBER - 1 },
    ]);
    await run({ clock: NOVEMBER + HOUR, completeUntil: NOVEMBER });
    expect(await entriesOf("acme")).toEqual([
      "grant 100 plan:1:0",
      "grant 100 plan:1:1",
      "grant 100 plan:1:2",
      "expiry -70 expiry:plan:1:0",
    ]);
  });

  test("wait through an outage of metering: what it meters afterwards still draws on the lot", async () => {
    await openSubscriber(books, "acme", { at: SEPTEMBER });
    await recordUsageComplete(books.database, NOVEMBER - HOUR);
    const back = NOVEMBER + 2 * DAY;
    for (let clock = NOVEMBER; clock < back; clock += 6 * HOUR) {
      await run({ clock, completeUntil: NOVEMBER - HOUR - GRACE });
    }
    await debit(back, [
      { eventId: "before", quantity: 40n, occurredAt: NOVEMBER - MINUTE },
      { eventId: "after", quantity: 10n, occurredAt: NOVEMBER },
    ]);
    await run({ clock: back + HOUR, completeUntil: back + HOUR - GRACE });
    expect(await entriesOf("acme")).toEqual([
      "grant 100 plan:1:0",
      "grant 100 plan:1:1",
      "grant 100 plan:1:2",
      "expiry -60 expiry:plan:1:0",
    ]);
    expect(await accountOf("acme")).toMatchObject({ granted: 300n, position: 110n });
  });

  test("are not triggered by an event whose clock is three minutes fast", async () => {
    await openSubscriber(books, "acme", { at: SEPTEMBER });
    await run({ clock: NOVEMBER - MINUTE, completeUntil: OCTOBER });
    const fast = { eventId: "fast", quantity: 1n, occurredAt: NOVEMBER + 2 * MINUTE };
    await debit(NOVEMBER - MINUTE, [fast]);
    expect(await entriesOf("acme")).toEqual(["grant 100 plan:1:0", "grant 100 plan:1:1"]);
    await debit(NOVEMBER, [{ eventId: "on time", quantity: 1n, occurredAt: NOVEMBER }]);
    expect(await entriesOf("acme")).toEqual([
      "grant 100 plan:1:0",
      "grant 100 plan:1:1",
      "grant 100 plan:1:2",
      "expiry -99 expiry:plan:1:0",
    ]);
  });

  test("are not posted early where the clock of a metering process was an hour ahead", async () => {
    await openSubscriber(books, "acme", { at: SEPTEMBER });
    await run({ clock: OCTOBER });
    const now = NOVEMBER - MINUTE;
    await grant("acme", { lotId: "promotion", credits: 5n * CREDIT, at: now });
    await recordUsageComplete(books.database, now + HOUR);
    const command = { lotId: "gift", credits: CREDIT, source: "promotion", reference: "" } as const;
    const gift = { ...command, end: { kind: "never" } } as const;
    await grantCredits(books.database, toAccountId("acme"), gift, now - 1);
    await debit(now, [{ eventId: "in time", quantity: 1n }]);
    expect(await entriesOf("acme")).toEqual([
      "grant 100 plan:1:0",
      "grant 100 plan:1:1",
      "grant 5 promotion",
      "grant 1 gift",
      "expiry -5 expiry:promotion",
    ]);
  });
});

describe("concurrently", () => {
  const COPIES = 2_500;

  test("two schedulers race: each lot, entry and record exists once", async () => {
    await openSubscriber(books, "many", { at: SEPTEMBER, voices: 1 });
    await copySubscriber(books, "many", COPIES);
    const november = { clock: NOVEMBER + GRACE, completeUntil: NOVEMBER };
    const racing = await Promise.all([run(november), run(november), run(november)]);
    const together = racing.reduce(addTotals);
    expect(together).toMatchObject({
      accounts: COPIES + 1,
      grants: { count: 2 * (COPIES + 1), credits: 200n * CREDIT * BigInt(COPIES + 1) },
      expiries: { count: COPIES + 1 },
      charges: { count: 2 * (COPIES + 1) },
    });
    expect(racing.filter(({ accounts }) => accounts > 0).length).toBeGreaterThan(1);
    expect(await count("outbox WHERE topic = 'billing.credits' AND sequence > 2")).toBe(
      5 * (COPIES + 1),
    );
  });

  test("the scheduler skips what metering is settling, and waits for nothing", async () => {
    await openSubscriber(books, "acme", { at: SUBSCRIBED });
    const passed: RunTotals[] = [];
    await slowly(/^INSERT INTO outbox/, {
      work: (database) => debit(OCTOBER, [{ eventId: "e", quantity: 1n }], database),
      meanwhile: async () => void passed.push(await run({ clock: OCTOBER })),
    });
    expect(passed).toEqual([EMPTY_TOTALS]);
    expect(await entriesOf("acme")).toEqual(["grant 100 plan:1:0", "grant 100 plan:1:1"]);
  });

  test("metering and the scheduler move the same accounts, and post everything once", async () => {
    await openSubscriber(books, "busy", { at: SUBSCRIBED, voices: 1 });
    await copySubscriber(books, "busy", 300);
    const accounts = Array.from({ length: 300 }, (_, at) => `busy-${at + 1}`);
    const usage = usageBatches(books, "busy");
    const turns = [OCTOBER, NOVEMBER, DECEMBER, JANUARY];
    for (const turn of turns) {
      const meter = async () => {
        for (const part of [0, 1, 2]) {
          const events = accounts.map((accountId, at): Usage => {
            const eventId = `${turn}-${part}-${at}`;
            return { accountId, eventId, quantity: 3n, occurredAt: turn + part };
          });
          const batch = { ...usage.next(events), now: turn + GRACE };
          await debitUsage(books.database, ratesReader(), batch);
        }
      };
      const complete = { clock: turn + GRACE, completeUntil: turn };
      await Promise.all([meter(), run(complete), run(complete)]);
      await run(complete);
    }
    expect(
      await count("pg_stat_database WHERE datname = current_database() AND deadlocks > 0"),
    ).toBe(0);
    const shared = await entriesOf("busy-1");
    expect(shared.filter((entry) => entry.startsWith("grant"))).toHaveLength(5);
    expect(shared.filter((entry) => entry.startsWith("add_on_charge"))).toHaveLength(5);
    expect(await count("usage_record")).toBe(turns.length * 3 * 300);
    expect(await count("entry")).toBe(
      (await count("outbox WHERE topic = 'billing.credits'")) + 600,
    );
  });
});

describe("an expiry notice", () => {
  const now = Date.UTC(2026, 9, 20);
  const week = { clock: now, noticeWithinMs: 7 * DAY };

  beforeEach(async () => {
    await openAccount(books, "acme", { at: now - DAY });
    await grant("acme", { lotId: "first", credits: 10n * CREDIT, at: now + 7 * DAY });
    await grant("acme", { lotId: "used up", credits: 5n * CREDIT, at: now + 2 * DAY });
    await grant("acme", { lotId: "part", credits: 8n * CREDIT, at: now + DAY });
    await grant("acme", { lotId: "later", credits: 8n * CREDIT, at: now + 7 * DAY + 1 });
    await grant("acme", { lotId: "for ever", credits: CREDIT, at: null });
  });

  test("is published once for each lot with something left that expires within the configured time", async () => {
    await debit(now, [{ eventId: "e", quantity: 16n }]);
    expect(await run(week)).toEqual({
      ...EMPTY_TOTALS,
      notices: { count: 1, credits: 7n * CREDIT },
    });
    expect(await noticesOf("acme")).toEqual([
      { sequence: "1", lot_id: "part", credits: `${7n * CREDIT}`, noticed_at: now },
    ]);
    expect(await run(week)).toEqual(EMPTY_TOTALS);
    expect(await run({ ...week, clock: now + 1 })).toMatchObject({ notices: { count: 1 } });
    expect(await noticesOf("acme")).toMatchObject([
      { lot_id: "part" },
      { sequence: "4", lot_id: "later", credits: `${8n * CREDIT}`, noticed_at: now + 1 },
    ]);
    expect(await count("lot WHERE noticed_at IS NULL")).toBe(1);
  });

  test("does not move the account: its version stays, and a concurrent batch of usage need not run again", async () => {
    const before = await accountOf("acme");
    await run(week);
    expect(await accountOf("acme")).toEqual(before);
  });

  test("is not published for an expired lot, nor when notices are turned off", async () => {
    expect(await run({ ...week, noticeWithinMs: 0 })).toEqual(EMPTY_TOTALS);
    expect(await run({ ...week, clock: now + 7 * DAY })).toMatchObject({ notices: { count: 1 } });
    expect(await noticesOf("acme")).toMatchObject([{ lot_id: "later" }]);
  });

  test("is published exactly once by racing schedulers", async () => {
    await openSubscriber(books, "many", { at: SEPTEMBER });
    await copySubscriber(books, "many", 2_500);
    const clock = NOVEMBER - 3 * DAY;
    await run({ clock, completeUntil: null });
    const racing = { clock, noticeWithinMs: 7 * DAY };
    const done = (await Promise.all([run(racing), run(racing), run(racing)])).reduce(addTotals);
    const late = await run(racing);
    expect(addTotals(done, late).notices.count).toBe(2_501);
    expect(await count("outbox WHERE topic = 'billing.credits-expiring'")).toBe(2_501);
    expect(await run(racing)).toEqual(EMPTY_TOTALS);
  });

  test("is not published again by a scheduler that had found the lot before", async () => {
    const late = await slowly(/^SELECT account_id AS "accountId", position/, {
      work: (database) => run(week, database),
      meanwhile: async () => void (await run(week)),
    });
    expect(late.notices.count).toBe(0);
    expect(await noticesOf("acme")).toHaveLength(3);
  });

  test("waits for another run where the account is locked", async () => {
    const holder = await books.database.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM account FOR NO KEY UPDATE");
    expect(await run(week)).toEqual(EMPTY_TOTALS);
    await holder.query("ROLLBACK");
    holder.release();
    expect((await run(week)).notices.count).toBe(3);
  });

  test("is found by an index, among the lots that expire soon", async () => {
    const { rows } = await books.database.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT lot_id FROM lot
       WHERE noticed_at IS NULL AND expires_at > now() AND expires_at <= now() + interval '7 days'
         AND (expires_at, account_id, lot_id) > (now(), '', '')
       ORDER BY expires_at, account_id, lot_id LIMIT 1000`,
    );
    expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).toContain("lot_unnoticed");
  });
});

test("a dry run changes nothing, and reports what a run then does", async () => {
  await openSubscriber(books, "acme", { at: SUBSCRIBED, voices: 1, threshold: 190n * CREDIT });
  await copySubscriber(books, "acme", 1_200);
  const december = {
    clock: DECEMBER + GRACE,
    completeUntil: DECEMBER,
    noticeWithinMs: 31 * DAY,
  };
  const before = await everything();
  const would = await doneBy(previewSchedule(books.database, { ...december, noticeWithinMs: 0 }));
  expect(await everything()).toEqual(before);
  expect(would.accounts).toBe(1_201);
  expect(would.lowBalances).toBe(1_201);
  expect(await run({ ...december, noticeWithinMs: 0 })).toEqual(would);

  const wouldNotice = await doneBy(previewSchedule(books.database, december));
  expect(wouldNotice).toMatchObject({ accounts: 0, notices: { count: 1_201 } });
  expect(await run(december)).toEqual(wouldNotice);
});

test("accounts that wait for usage are not read again in each run", async () => {
  await openSubscriber(books, "acme", { at: SUBSCRIBED });
  await copySubscriber(books, "acme", 20);
  await run({ clock: NOVEMBER });
  const steps = runSchedule(books.database, {
    clock: NOVEMBER + DAY,
    completeUntil: NOVEMBER - 1,
    noticeWithinMs: 0,
  });
  for await (const { read } of steps) expect(read).toBe(0);
});

async function run(
  given: Pick<ScheduleRun, "clock"> & Partial<ScheduleRun>,
  database = books.database,
): Promise<RunTotals> {
  return doneBy(runSchedule(database, { completeUntil: null, noticeWithinMs: 0, ...given }));
}

/** A run that finds the others' accounts locked, and skips them. */
async function runOnly(account: string, given: Parameters<typeof run>[0]): Promise<void> {
  const client = await books.database.connect();
  await client.query("BEGIN");
  await client.query("SELECT FROM account WHERE account_id <> $1 FOR UPDATE", [account]);
  await run(given);
  await client.query("ROLLBACK");
  client.release();
}

/** Runs `work`, and something else just before its first statement that matches. */
async function slowly<T>(
  statement: RegExp,
  { work, meanwhile }: { work: (database: Database) => Promise<T>; meanwhile: () => Promise<void> },
): Promise<T> {
  const proxy = await openPostgresProxy(books.url);
  const database = connect(proxy.url);
  try {
    void proxy.catchNext(({ sql }) => statement.test(sql.trim()), meanwhile);
    return await work(database);
  } finally {
    await database.end();
    await proxy.close();
  }
}

async function doneBy(steps: ReturnType<typeof runSchedule>): Promise<RunTotals> {
  let done = EMPTY_TOTALS;
  for await (const step of steps) done = addTotals(done, step.done);
  return done;
}

const partitions = new Map<Books, ReturnType<typeof usageBatches>>();

/** Meters acme's usage as of `now`, at which it occurs by default. */
async function debit(
  now: Instant,
  events: readonly Omit<Usage, "accountId">[],
  database = books.database,
) {
  const usage = partitions.get(books) ?? usageBatches(books, `acme-${partitions.size}`);
  partitions.set(books, usage);
  const batch = usage.next(
    events.map((event) => ({ accountId: "acme", occurredAt: now, ...event })),
  );
  return debitUsage(database, ratesReader(), { ...batch, now });
}

async function grant(
  id: string,
  { lotId, credits, at }: { lotId: string; credits: bigint; at: Instant | null },
): Promise<void> {
  const end = at === null ? ({ kind: "never" } as const) : ({ kind: "at", at } as const);
  const asked = { lotId, credits, source: "promotion", reference: "", end } as const;
  const now = SUBSCRIBED + DAY;
  const outcome = await grantCredits(books.database, toAccountId(id), asked, now);
  expect(outcome.kind).toBe("granted");
}

/** "grant 100 plan:1:0", in the order posted; whole credits. */
async function entriesOf(account: string): Promise<string[]> {
  const { rows } = await books.database.query<{ told: string }>(
    `SELECT concat_ws(' ', kind, credits / 1000000,
                      CASE kind WHEN 'grant' THEN lot_id ELSE reference END) AS told
     FROM entry WHERE account_id = $1 ORDER BY sequence`,
    [account],
  );
  return rows.map(({ told }) => told);
}

/** In whole credits. */
async function accountOf(account: string) {
  const { rows } = await books.database.query<{
    granted: bigint;
    position: bigint;
    version: bigint;
  }>(
    `SELECT granted / 1000000 AS granted, position / 1000000 AS position, version,
            next_due_at::text, settle_at::text
     FROM account WHERE account_id = $1`,
    [account],
  );
  if (rows[0] === undefined) throw new Error(`there is no account ${account}`);
  return rows[0];
}

async function noticesOf(account: string) {
  const { rows } = await books.database.query<{ record: string }>(
    `SELECT record FROM outbox
     WHERE topic = 'billing.credits-expiring' AND account_id = $1 ORDER BY sequence`,
    [account],
  );
  return rows.map(({ record }) => {
    const { sequence, lot_id, credits, noticed_at } = JSON.parse(record);
    return { sequence, lot_id, credits, noticed_at };
  });
}

async function count(table: string): Promise<number> {
  const { rows } = await books.database.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM ${table}`,
  );
  return rows[0]?.n ?? -1;
}

/** One fingerprint per table of everything stored. */
async function everything(): Promise<Record<string, string>> {
  const tables = ["account", "lot", "entry", "schedule", "subscription_change", "outbox"];
  const found: Record<string, string> = {};
  for (const table of [...tables, "balance_change"]) {
    const { rows } = await books.database.query<{ print: string }>(
      `SELECT md5(string_agg(stored::text, '' ORDER BY stored::text)) AS print FROM ${table} AS stored`,
    );
    found[table] = rows[0]?.print ?? "";
  }
  return found;
}

import type { KafkaMessage } from "kafkajs";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { housekeepingRules } from "../../../shared/core/history/retention.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { TOPICS, USAGE_READER } from "../../../shared/core/text/topics.ts";
import { DEFAULT_WINDOW } from "../../../shared/core/usage/usage-event.ts";
import { keepNames } from "../../../shared/kafka/codec/usage-names.ts";
import { decodeColumns } from "../../../shared/kafka/consume/decode-columns.ts";
import { findTrueRetries } from "../../../shared/kafka/consume/true-retries.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { keepHouse } from "../../../shared/ledger/housekeeping/keep-house.ts";
import { listHousekeeping } from "../../../shared/ledger/housekeeping/runs.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { readLastReconciliation } from "../../../shared/ledger/proof/reconciliations.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { askedHold, changeHold } from "../../support/books/holds.ts";
import { dropMonths, oldUsage } from "../../support/books/old-usage.ts";
import { toEvent } from "../../support/books/usage-batches.ts";
import { recordsOf } from "../../support/kafka/records-of.ts";

/** What housekeeping deletes from real tables, and that nothing is metered twice or lost for it. */
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const now = Date.now();
const books: Books[] = [];
const RETENTION = {
  deadLetters: { count: 90, unit: "day" },
  reconciliations: { count: 90, unit: "day" },
  repeats: { count: 36, unit: "day" },
  usage: { count: 38, unit: "day" },
  webhooks: { count: 30, unit: "day" },
} as const;
const RULES = housekeepingRules(RETENTION);
/** What the topic still has of partitions 0 and 1. */
const FIRST_OFFSETS = new Map([
  [0, 100n],
  [1, 0n],
]);

let database: Books["database"];

beforeEach(async () => {
  const opened = await openBooks();
  books.push(opened);
  database = opened.database;
});

afterAll(async () => {
  for (const opened of books) await opened.close();
});

test("of each table the old rows go, and the young and undecided ones stay", async () => {
  await requests({ old: now - 49 * HOUR, young: now - 47 * HOUR });
  await tokens({ old: now - 25 * HOUR, young: now - 23 * HOUR, open: now + HOUR });
  await webhooks({ old: now - 31 * DAY, young: now - 29 * DAY });
  await reconciliations({ first: now - 92 * DAY, second: now - 91 * DAY, young: now - 89 * DAY });
  const [old, young] = [now - 91 * DAY, now - 89 * DAY];
  await letter("dismissed long ago", { offset: 1, dismissed: old });
  await letter("retried long ago", { offset: 2, retried: old });
  await letter("dismissed lately", { offset: 3, dismissed: young });
  await letter("retried lately", { offset: 4, retried: young });
  await letter("open", { offset: 5 });
  await letter("retried again", { offset: 6, asked: old });
  await letter("in the topic", { offset: 100, dismissed: old });
  await letter("in another partition", { offset: 7, partition: 1, dismissed: old });
  await letter("in an unknown partition", { offset: 7, partition: 2, dismissed: old });
  await letter("not published", { offset: 8, dismissed: old, published: false });
  await letter("refused by Kafka", { offset: 9, dismissed: old, published: false, refused: true });
  await openAccount({ database }, "holder", { lots: [{ credits: 100n }] });
  for (const [holdId, at] of [
    ["old", now - 41 * DAY],
    ["young", now - 39 * DAY],
    ["open", now],
  ] as const) {
    await changeHold({ database }, askedHold("holder", holdId, 1n), at);
  }
  await alerts({ old: now - 400 * DAY, young: now - 390 * DAY });
  await budgetWindows({ old: now - 41 * DAY, young: now - 39 * DAY, all: null });

  expect(await run()).toEqual({
    api_request: 1,
    dashboard_token: 1,
    reconciliation: 2,
    dead_letter: 3,
    hold: 1,
    alert: 1,
    budget_spend: 3,
    usage_identity: 0,
    usage_page: 0,
    webhook_delivery: 1,
  });
  expect(await left("api_request", "idempotency_key")).toEqual(["young"]);
  expect(await left("dashboard_token", "key_id")).toEqual(["open", "young"]);
  expect(await left("reconciliation", "listed->>0")).toEqual(["young"]);
  expect(await left("hold", "hold_id")).toEqual(["open", "young"]);
  expect(await left("alert", "kind")).toEqual(["young"]);
  expect(await left("webhook_delivery", "webhook_id")).toEqual(["young"]);
  expect(await left("budget_spend", "value")).toEqual(["all", "young"]);
  expect(await left("budget_added", "named[1]")).toEqual(["all", "young"]);
  expect(await left("dead_letter", "detail")).toEqual(
    [
      "in an unknown partition",
      "in another partition",
      "in the topic",
      "not published",
      "open",
      "retried again",
      "retried lately",
      "dismissed lately",
    ].sort(),
  );
  expect(await listHousekeeping(database)).toEqual([
    { table: "alert", keptFor: "13 months", ranAt: now, deleted: 1n, finished: true },
    { table: "api_request", keptFor: "2 days", ranAt: now, deleted: 1n, finished: true },
    { table: "budget_spend", keptFor: "40 days", ranAt: now, deleted: 3n, finished: true },
    { table: "dashboard_token", keptFor: "1 day", ranAt: now, deleted: 1n, finished: true },
    { table: "dead_letter", keptFor: "90 days", ranAt: now, deleted: 3n, finished: true },
    { table: "hold", keptFor: "40 days", ranAt: now, deleted: 1n, finished: true },
    { table: "reconciliation", keptFor: "90 days", ranAt: now, deleted: 2n, finished: true },
    { table: "usage_identity", keptFor: "36 days", ranAt: now, deleted: 0n, finished: true },
    { table: "usage_page", keptFor: "38 days", ranAt: now, deleted: 0n, finished: true },
    { table: "webhook_delivery", keptFor: "30 days", ranAt: now, deleted: 1n, finished: true },
  ]);
  expect(Object.values(await run())).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("a run that fails is shown as one that did not finish, not as the one before it", async () => {
  await run();
  const later = { now: now + HOUR, completeUntil: now + HOUR, firstOffsets: FIRST_OFFSETS };
  await database.query("DROP FUNCTION drop_usage_month(timestamptz)");
  const failing = Array.fromAsync(keepHouse(database, RULES, later, new AbortController().signal));
  await expect(failing).rejects.toThrow("drop_usage_month");
  expect((await listHousekeeping(database)).slice(-3, -1)).toMatchObject([
    { table: "usage_identity", ranAt: now + HOUR, finished: true },
    { table: "usage_page", ranAt: now + HOUR, deleted: 0n, finished: false },
  ]);
});

test("the last reconciliation stays however old it is: the next one begins where it ended", async () => {
  await reconciliations({ first: now - 900 * DAY, last: now - 800 * DAY });
  expect(await run()).toMatchObject({ reconciliation: 1 });
  expect((await readLastReconciliation(database))?.at).toBe(now - 800 * DAY);
});

test("two runs at once delete each row once; a run broken off is continued by the next", async () => {
  await database.query(
    `INSERT INTO api_request (caller, idempotency_key, request_hash, requested_at)
     SELECT 'key', at, '', to_timestamp($1 / 1000.0) FROM generate_series(1, 2500) AS at`,
    [now - 3 * DAY],
  );
  await requests({ young: now });
  const stopped = AbortSignal.abort();
  expect(await run({ signal: stopped })).toMatchObject({ api_request: 0 });
  expect(await listHousekeeping(database)).toHaveLength(10);
  expect((await listHousekeeping(database))[0]).toMatchObject({ finished: false });
  const both = await Promise.all([run(), run()]);
  expect(both.reduce((sum, deleted) => sum + (deleted["api_request"] ?? 0), 0)).toBe(2500);
  expect(await left("api_request", "idempotency_key")).toEqual(["young"]);
});

test("the tables of identities take turns once the current one is old enough, once for several runs", async () => {
  const begun = (days: number) =>
    database.query("UPDATE usage_generation SET since = to_timestamp($1 / 1000.0)", [
      now - days * DAY,
    ]);
  const current = async () => {
    const { rows } = await database.query<{ current: number; since: number }>(
      "SELECT current, since FROM usage_generation",
    );
    return rows[0];
  };
  await begun(35.9);
  await run();
  expect(await current()).toMatchObject({ current: 1 });
  await begun(36.1);
  await Promise.all([run(), run()]);
  expect(await current()).toEqual({ current: 2, since: now });
  await run();
  expect(await current()).toMatchObject({ current: 2 });
});

describe("usage", () => {
  const dayAgo = (days: number) => new Date(now - days * DAY).toISOString().slice(0, 10);

  async function useOf(...days: readonly number[]): Promise<void> {
    await openAccount({ database }, "acme", { at: now - 300 * DAY });
    await setPrice({ database }, "call", 5n);
    const used = oldUsage({ database }, "acme");
    for (const day of days) await used.use(dayAgo(day));
  }

  test("goes by whole months once all of one is past, and not before metering has read all that was published by then", async () => {
    await useOf(120, 110, 1);
    expect(await run({ completeUntil: null })).toMatchObject({ usage_page: 0 });
    // 38 days before it no month of that usage had passed, on any date.
    expect(await run({ completeUntil: now - 90 * DAY })).toMatchObject({ usage_page: 0 });
    expect(await run()).toMatchObject({ usage_page: 2 });
    expect((await listHousekeeping(database)).at(-2)).toMatchObject({
      deleted: 2n,
      finished: true,
    });
    expect(await left("usage_record", "quantity::text")).toHaveLength(1);
    expect(await run()).toMatchObject({ usage_page: 0 });
  });

  test("stays for ever where that is set", async () => {
    await useOf(290, 1);
    const rules = housekeepingRules({ ...RETENTION, usage: null });
    expect(await run({ rules })).toMatchObject({ usage_page: 0 });
    expect(await left("usage_record", "quantity::text")).toHaveLength(2);
  });

  test("stays while pages are read for long, and the run says that it has not finished", async () => {
    await useOf(120, 1);
    await inTransaction(database, async (reader) => {
      await reader.query("LOCK TABLE ONLY usage_page IN ACCESS SHARE MODE");
      const kept = await run();
      expect(kept).toMatchObject({ usage_page: 0 });
      expect((await listHousekeeping(database)).at(-2)).toMatchObject({ finished: false });
    });
    expect(await run()).toMatchObject({ usage_page: 1 });
  }, 30_000);
});

describe("a retried dead letter", () => {
  const RETRIED = now - 100 * DAY;

  test("stays while metering has not read its retry, which is then metered although it is old", async () => {
    const { deliver } = await retriedUsage();
    await letter("usage", { offset: 2, retried: RETRIED });
    expect(await run({ completeUntil: RETRIED + 89 * DAY })).toMatchObject({ dead_letter: 0 });
    expect(await run({ completeUntil: null })).toMatchObject({ dead_letter: 0 });
    expect(await deliver()).toMatchObject({ metered: 1, deadLetters: 0 });
  });

  test("is metered once: after its deletion its retry is too old, or a repeat", async () => {
    const { deliver, deliverYoung } = await retriedUsage();
    await letter("usage", { offset: 2, retried: RETRIED });
    expect(await deliver()).toMatchObject({ metered: 1 });
    expect(await deliverYoung()).toMatchObject({ metered: 1 });
    expect(await run()).toMatchObject({ dead_letter: 1 });
    expect(await deliver()).toMatchObject({ metered: 0, deadLetters: 1 });
    expect(await deliverYoung()).toMatchObject({ metered: 0, repeats: 1 });
    const { rows } = await database.query(
      "SELECT position, (SELECT reason FROM dead_letter) AS reason FROM account",
    );
    expect(rows).toEqual([{ position: 10n, reason: "too_long_ago" }]);
  });

  test("is metered once, also when it is retried again after its identity is gone", async () => {
    const { deliver } = await retriedUsage();
    await letter("usage", { offset: 2, retried: RETRIED });
    expect(await deliver()).toMatchObject({ metered: 1 });
    for (const at of [now + 1, now + 2]) {
      await database.query("SELECT begin_usage_generation(to_timestamp($1 / 1000.0), 'infinity')", [
        at,
      ]);
    }
    expect(await deliver()).toMatchObject({ metered: 0, repeats: 1 });
  });

  test("is metered once, also when it is retried again after its page is past retention", async () => {
    const { deliver } = await retriedUsage();
    await letter("usage", { offset: 2, retried: RETRIED });
    expect(await deliver()).toMatchObject({ metered: 1 });
    await dropMonths(database, now + 60 * DAY);
    expect(await deliver()).toMatchObject({ metered: 0, deadLetters: 1 });
  });

  /** Usage beyond the window, and within it, both delivered as retries of the dead letter 0/2. */
  async function retriedUsage() {
    await openAccount({ database }, "acme");
    await setPrice({ database }, "call", 5n);
    const readRates = ratesReader();
    const names = keepNames();
    let next = 0n;
    const deliverAt = async (eventId: string, occurredAt: number) => {
      const offset = next++;
      const message: KafkaMessage = {
        ...{ key: null, value: Buffer.from("usage"), attributes: 0, timestamp: String(now) },
        ...{ offset: String(offset), headers: { "retry-of": "usage.events/0/2" } },
      };
      const usage = { eventId, accountId: toAccountId("acme"), quantity: 1n, occurredAt };
      const decoder = {
        learn: async () => undefined,
        layoutOf: () => "several_meters" as const,
        decode: () => toEvent(usage, { partition: 3, offset }),
      };
      const batch = {
        ...{ topic: TOPICS.usageEvents, partition: 3, messages: [message] },
        ...{ fetchedFrom: offset, nextOffset: next, highWatermark: next },
      };
      const batches = [await recordsOf(batch)];
      const reading = { decoder, now, window: DEFAULT_WINDOW };
      const first = decodeColumns(batches, names(), reading);
      const retries = await findTrueRetries(database, batches, first);
      const decoded = decodeColumns(batches, names(), { ...reading, retries });
      const debit = { reader: USAGE_READER, now, ...decoded, expectRepeats: false };
      return debitUsage(database, readRates, debit);
    };
    return {
      deliver: () => deliverAt("old", now - 120 * DAY),
      deliverYoung: () => deliverAt("young", now - DAY),
    };
  }
});

interface Letter {
  readonly offset: number;
  readonly partition?: number;
  readonly asked?: number;
  readonly retried?: number;
  readonly dismissed?: number;
  readonly published?: boolean;
  readonly refused?: boolean;
}

async function letter(detail: string, of: Letter): Promise<void> {
  const { offset, partition = 0, retried, asked = retried, dismissed, published = true } = of;
  const why = dismissed === undefined ? null : "test";
  await database.query(
    `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, reason, detail, payload, recorded_at,
                              published_at, publish_refused, retry_asked_at, retried_at, dismissed_at,
                              dismissed_by, dismissed_reason)
     VALUES ('usage.events', $1, $2, 'unreadable', $3, 'usage', now(), $4, $5,
             to_timestamp($6 / 1000.0), to_timestamp($7 / 1000.0), to_timestamp($8 / 1000.0), $9, $9)`,
    [
      ...[partition, offset, detail, published ? new Date(now) : null, of.refused ? "large" : null],
      ...[asked ?? null, retried ?? null, dismissed ?? null, why],
    ],
  );
}

/** What waits to be delivered. */
async function webhooks(at: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, createdAt] of Object.entries(at)) {
    await database.query(
      `INSERT INTO webhook_delivery (account_id, endpoint_id, type, sequence, webhook_id, body, created_at)
       VALUES ('acme', 'e', $1, 1, $1, '{}', to_timestamp($2 / 1000.0))`,
      [name, createdAt],
    );
  }
}

async function requests(named: Record<string, number>): Promise<void> {
  for (const [name, at] of Object.entries(named)) {
    await database.query(
      "INSERT INTO api_request VALUES ('key', $1, '', 200, '{}', to_timestamp($2 / 1000.0))",
      [name, at],
    );
  }
}

async function tokens(named: Record<string, number>): Promise<void> {
  for (const [name, endsAt] of Object.entries(named)) {
    await database.query(
      `INSERT INTO dashboard_token (account_id, secret_hash, key_id, expires_at)
       VALUES ('acme', $1, $2, to_timestamp($3 / 1000.0))`,
      [Buffer.from(name), name, endsAt],
    );
  }
}

async function reconciliations(named: Record<string, number>): Promise<void> {
  for (const [name, at] of Object.entries(named)) {
    await database.query(
      "INSERT INTO reconciliation VALUES (to_timestamp($1 / 1000.0), '{}', 0, 0, 0, 0, $2)",
      [at, JSON.stringify([name])],
    );
  }
}

/** The rows deleted, by table. */
async function run({
  completeUntil = now,
  rules = RULES,
  signal = new AbortController().signal,
}: {
  completeUntil?: number | null;
  rules?: typeof RULES;
  signal?: AbortSignal;
} = {}): Promise<Record<string, number>> {
  const deleted: Record<string, number> = {};
  const state = { now, completeUntil, firstOffsets: FIRST_OFFSETS };
  for await (const done of keepHouse(database, rules, state, signal)) {
    deleted[done.table] = Number(done.deleted);
  }
  return deleted;
}

async function alerts(at: Readonly<Record<string, number>>): Promise<void> {
  for (const [kind, raisedAt] of Object.entries(at)) {
    await database.query(
      `INSERT INTO alert (account_id, sequence, kind, subject, window_name, level, cause, reason, occurred_at, raised_at)
       SELECT 'holder', count(*) + 1, $1, '', '', 0, '', '', to_timestamp(0), to_timestamp($2::float8 / 1000)
       FROM alert`,
      [kind, raisedAt],
    );
  }
}

/** Windows of values by when they ended; null: never. */
async function budgetWindows(ends: Readonly<Record<string, number | null>>): Promise<void> {
  for (const [value, end] of Object.entries(ends)) {
    await database.query(
      `INSERT INTO budget_spend (account_id, dimension, window_name, starts_at, value, ends_at, spent)
       VALUES ('holder', 'team', 'day', to_timestamp(0), $1, to_timestamp($2::float8 / 1000), 1)`,
      [value, end],
    );
    await database.query(
      `INSERT INTO budget_added (account_id, dimension, window_name, starts_at, place, ends_at, named, credits)
       VALUES ('holder', 'user', $1, to_timestamp(0), 2, to_timestamp($2::float8 / 1000), ARRAY[$1, 'b'], '{1, 2}')`,
      [value, end],
    );
  }
}

async function left(table: string, name: string): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(`SELECT ${name} AS name FROM ${table}`);
  return rows.map((row) => row.name).sort();
}

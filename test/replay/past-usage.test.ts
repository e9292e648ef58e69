import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { dropUsageMonth } from "../../shared/ledger/housekeeping/drop-usage.ts";
import { prove, repairAll } from "../reconcile/prove.ts";
import { type Books, copyBooks, openBooks } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { superuserUrl } from "../support/stack/template.ts";
import { playPublished } from "./published-history.ts";

/**
 * Books with a history of months lose the first ones to retention, while the topic keeps all of it, repeats
 * of dropped events included: what is kept is proved as before, and what is not is named.
 */
const kafka = testKafka();
const AUGUST = Date.UTC(2026, 7, 1);

let giveTopicBack: () => Promise<void>;
let whole: Books;
/** Those of which July and what was before is dropped. */
let books: Books;
/** How many events were. */
let dropped = 0n;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  whole = await openBooks();
  await playPublished(whole, kafka, { seed: 20_261_129, accounts: 8, steps: 40 });
  books = await copyBooks(whole);
  for (;;) {
    const month = await dropUsageMonth(books.database, AUGUST);
    if (typeof month === "string") break;
    dropped += month.events;
  }
}, 120_000);

afterAll(async () => {
  await books?.close();
  await whole?.close();
  await giveTopicBack?.();
});

test("some months are dropped, and the invariants hold", async () => {
  expect(dropped).toBeGreaterThan(20n);
  expect(await count("usage_record")).toBeGreaterThan(20);
  expect(await brokenInvariants(books.database)).toEqual([]);
}, 30_000);

describe("reconcile", () => {
  test("finds nothing, verifies all that is kept, and counts what is dropped", async () => {
    const before = await prove(whole);
    const { usage, cut, differences } = await prove(books);
    expect(differences).toEqual([]);
    expect(usage.metered).toBe(await count("usage_record WHERE NOT goes_on"));
    expect(cut.dropped).toEqual({
      events: dropped,
      credits: before.usage.credits - usage.credits,
      until: expect.any(Number),
    });
    expect(cut.dropped?.until).toBeLessThanOrEqual(AUGUST);
    // Repeats of what was dropped, which are on the topic after it.
    expect(usage.past).toBeGreaterThan(0);
    expect(usage.past).toBeLessThanOrEqual(before.usage.repeats);
  }, 60_000);

  test("says so", async () => {
    const ran = await drawdown(["reconcile"], { env: { DATABASE_URL: books.url } });
    expect(ran.stdout).toMatch(
      new RegExp(
        `Not verified: ${dropped} events of [\\d.,]+ credits from before 2026-07-[\\dT:.]+Z, which are past the books' retention`,
      ),
    );
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
  }, 60_000);

  test("of one account counts its own", async () => {
    const { rows } = await books.database.query<{ account: string; events: bigint }>(
      "SELECT account_id AS account, sum(events)::bigint AS events FROM usage_past GROUP BY 1 LIMIT 1",
    );
    const account = rows[0]?.account ?? "";
    const ran = await drawdown(["reconcile", "--account", account, "--json"], {
      env: { DATABASE_URL: books.url },
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      differences: [],
      not_verified: { dropped: { events: String(rows[0]?.events) } },
    });
  }, 60_000);

  test("finds a fault in what is kept, and repairs it", async () => {
    const faulty = await copyBooks(books);
    // The first record that is kept of an account draws behind dropped usage.
    const { rows } = await faulty.database.query<{ event_id: string }>(
      `SELECT DISTINCT ON (account_id) event_id FROM usage_record
       WHERE credits > coalesce(given_back, 0) AND account_id IN (SELECT account_id FROM usage_past)
         AND occurred_at > '2026-08-02'
       ORDER BY account_id, start_position`,
    );
    await faulty.database.query("DELETE FROM usage_record WHERE event_id = ANY($1)", [
      rows.map((row) => row.event_id),
    ]);
    const { differences } = await prove(faulty);
    expect(differences.map(({ kind }) => kind)).toEqual(rows.map(() => "missing_record"));
    expect(await repairAll(faulty, differences)).toEqual(rows.map(() => "record_restored"));
    expect((await prove(faulty)).differences).toEqual([]);
    await faulty.close();
  }, 60_000);

  test("finds a fault in the sums of dropped months", async () => {
    const faulty = await copyBooks(books);
    await faulty.database.query("UPDATE usage_past SET quantity = quantity + 1 WHERE events > 1");
    const { differences } = await prove(faulty);
    expect(new Set(differences.map(({ kind }) => kind))).toEqual(new Set(["broken_invariant"]));
    await faulty.close();
  }, 60_000);
});

describe("replay", () => {
  test("builds all of the books while the topic has it, and compares what is kept", async () => {
    const target = await openBooks();
    const ran = await drawdown(["replay", "--into", superuserUrl(target.url)], {
      env: { DATABASE_URL: books.url },
    });
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toContain(": equal (");
    expect(await brokenInvariants(target.database)).toEqual([]);
    await target.close();
  }, 60_000);

  test("is refused once the topic has not", async () => {
    const admin = kafka.admin();
    await admin.connect();
    const { rows } = await books.database.query<{ partition: number; offset: bigint }>(
      "SELECT kafka_partition AS partition, next_offset AS offset FROM usage_past_partition",
    );
    // It finds the partitions' leaders.
    await admin.fetchTopicOffsets(TOPICS.usageEvents);
    const partitions = rows.map((row) => ({ ...row, offset: String(row.offset) }));
    await admin.deleteTopicRecords({ topic: TOPICS.usageEvents, partitions });
    await admin.disconnect();
    const target = await openBooks();
    const ran = await drawdown(["replay", "--into", superuserUrl(target.url)], {
      env: { DATABASE_URL: books.url },
    });
    await target.close();
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("is past retention")]);
    expect((await prove(books)).differences).toEqual([]);
  }, 60_000);
});

async function count(table: string): Promise<number> {
  const { rows } = await books.database.query<{ count: bigint }>(`SELECT count(*) FROM ${table}`);
  return Number(rows[0]?.count);
}

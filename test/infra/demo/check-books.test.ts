/**
 * - books that metering has kept equal the trace, however it was split into batches
 * - every difference of a micro-credit, an event or a record is named, with its place
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkBooks } from "../../../infra/demo/check-books.ts";
import type { LowBalanceReceived } from "../../../infra/demo/follow-low-balances.ts";
import { openAccounts } from "../../../infra/demo/open-accounts.ts";
import { type DemoPlan, planDemo } from "../../../infra/demo/plan-demo.ts";
import { setDemoRates } from "../../../infra/demo/rates.ts";
import { readBooks } from "../../../infra/demo/read-books.ts";
import { readTrace } from "../../../infra/demo/trace.ts";
import { migrate } from "../../../infra/postgres/migrate.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { goBackBeforePages } from "../../support/books/books-before-pages.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";

const ACCOUNTS = 10;
const BATCH = 23;

const plan = planDemo((await readTrace()).slice(0, 200), { accounts: ACCOUNTS, prefix: "demo" });
let books: Books;

beforeEach(async () => {
  books = await openBooks();
  await setDemoRates(books.database);
  await openAccounts(books.database, plan.accounts);
  const usage = usageBatches(books, "demo");
  for (let at = 0; at < plan.events.length; at += BATCH) {
    const outcome = await usage.debit(plan.events.slice(at, at + BATCH));
    expect(outcome.runs).toEqual([{ kind: "committed" }]);
  }
});

afterEach(() => books.close());

test("books that metering kept equal the trace", async () => {
  expect(lowIn(plan)).toBeGreaterThan(0);
  expect(await differences()).toEqual([]);
});

test("books of the version before equal the trace once set-up has carried their usage to pages", async () => {
  await goBackBeforePages(books);
  const tables = "SELECT relkind FROM pg_class WHERE relname IN ('draw', 'usage_record')";
  expect((await books.database.query(tables)).rows).toEqual([{ relkind: "r" }, { relkind: "r" }]);
  await migrate(books.database);
  expect(await differences()).toEqual([]);
  const again = await usageBatches(books, "again").debit(plan.events.slice(0, BATCH));
  // They state another time than the first ones, so that they are conflicts.
  expect(again).toMatchObject({ metered: 0, deadLetters: BATCH });
});

describe("a fault in the books is found:", () => {
  test.each([
    {
      fault: "a micro-credit too much is drawn",
      sql: "UPDATE account SET position = position + 1 WHERE account_id = 'demo-02'",
      says: [/^account demo-02: position: \d+, should be \d+$/],
    },
    {
      fault: "an event is lost",
      sql: "DELETE FROM usage_record WHERE event_id = 'demo-request-00001-input'",
      says: [
        /^llm.input_tokens, events: 199, should be 200$/,
        /^llm.input_tokens, quantity: \d+, should be \d+$/,
        /^event demo-request-00001-input was not metered$/,
        /^spend of demo-\d\d, llm.input_tokens, events/,
      ],
    },
    {
      fault: "an event is metered twice",
      sql: `INSERT INTO usage_record
            SELECT 'again', account_id, meter, quantity, occurred_at, source, dimensions, credits,
                   start_position, kafka_partition, kafka_offset, metered_at
            FROM usage_record WHERE event_id = 'demo-request-00001-output'`,
      says: [
        /^llm.output_tokens, events: 201, should be 200$/,
        /^event again was metered but never published$/,
      ],
    },
    {
      fault: "an event costs a micro-credit less",
      sql: "UPDATE usage_record SET credits = credits - 1 WHERE event_id = 'demo-request-00001-input'",
      says: [
        /^llm.input_tokens, micro-credits/,
        /^event demo-request-00001-input, credits: 12019, should be 12020$/,
      ],
    },
    {
      fault: "an event is another account's",
      sql: "UPDATE usage_record SET account_id = 'demo-09' WHERE event_id = 'demo-request-00001-input'",
      says: [/^event demo-request-00001-input, accountId: demo-09, should be demo-\d\d$/],
    },
    {
      fault: "a stretch was drawn elsewhere on the line",
      sql: "UPDATE usage_record SET start_position = start_position + 1 WHERE event_id = 'demo-request-00009-input'",
      says: [/^event demo-request-00009-input, start: \d+, should be \d+$/],
    },
    {
      fault: "a lot is shorter than it was",
      sql: "UPDATE lot SET end_position = end_position - 1 WHERE account_id = 'demo-10' AND lot_id = 'lot-3'",
      says: [/^account demo-10: left of lot 3: /, /^account demo-10: left of all lots: /],
    },
    {
      fault: "an account is gone",
      sql: "DELETE FROM entry WHERE account_id = 'demo-10'; DELETE FROM lot WHERE account_id = 'demo-10'; DELETE FROM account WHERE account_id = 'demo-10'",
      says: [/^account demo-10 is not in the books$/],
    },
    {
      fault: "a page's stretch is a micro-credit short",
      sql: `UPDATE usage_page SET end_position = end_position - 1
            WHERE (account_id, start_position, version) IN (
              SELECT account_id, page_start, page_version FROM usage_record
              WHERE event_id = 'demo-request-00200-output')`,
      says: [/^page of demo-\d\d at \d+: its usage ends at \d+, the page at \d+$/],
    },
    {
      fault: "the spend leaves an event out",
      sql: "UPDATE spend SET events = events - 1 WHERE account_id = 'demo-02' AND meter = 'llm.output_tokens'",
      says: [/^spend of demo-02, llm.output_tokens, events: \d+, should be \d+$/],
    },
    {
      fault: "a low balance was published twice",
      sql: "UPDATE account SET crossings = crossings + 1 WHERE account_id = 'demo-10'",
      says: [/^account demo-10: low balances published: 1, should be 0$/],
    },
    {
      fault: "an event is a dead letter",
      sql: `INSERT INTO dead_letter
            VALUES ('usage.events', 0, 0, 'demo-02', 'malformed', '', NULL, '', now(), NULL)`,
      says: [/^dead letters of the demo's accounts: 1, should be 0$/],
    },
  ])("$fault", async ({ sql, says }) => {
    await books.database.query(sql);
    const found = await differences();
    for (const line of says) expect(found).toContainEqual(expect.stringMatching(line));
  });
});

describe("a fault among the low balances is found:", () => {
  const faults: {
    fault: string;
    plant: (received: LowBalanceReceived[]) => LowBalanceReceived[];
    says: RegExp;
  }[] = [
    { fault: "one is missing", plant: ([, ...rest]) => rest, says: /: never published$/ },
    {
      fault: "one comes twice",
      plant: (received) => [...received, ...received.slice(0, 1)],
      says: /, published again: 1, should be 0$/,
    },
    {
      fault: "another event is named as its cause",
      plant: (received) => received.map((low) => ({ ...low, cause: "event:other" })),
      says: /, cause: event:other, should be event:demo-request-\d+-(in|out)put$/,
    },
    {
      fault: "its balance is a micro-credit off",
      plant: (received) => received.map((low) => ({ ...low, balance: low.balance + 1n })),
      says: /, balance: -?\d+, should be -?\d+$/,
    },
    {
      fault: "an account that never ran low has one",
      plant: (received) => [
        ...received,
        ...received.slice(0, 1).map((low) => ({ ...low, accountId: "demo-10" })),
      ],
      says: /^low balance of demo-10: published, though it never ran low$/,
    },
  ];
  test.each(faults)("$fault", async ({ plant, says }) => {
    expect(await differences(plant)).toContainEqual(expect.stringMatching(says));
  });
});

async function differences(
  plant: (received: LowBalanceReceived[]) => LowBalanceReceived[] = (received) => received,
): Promise<string[]> {
  const found = await readBooks(
    books.database,
    plan.accounts.map(({ accountId }) => accountId),
  );
  return checkBooks(plan.expected, found, plant(await published()));
}

/** What the relay would publish. */
async function published(): Promise<LowBalanceReceived[]> {
  const { rows } = await books.database.query<{ record: string }>(
    "SELECT record FROM outbox WHERE topic = $1 ORDER BY account_id, sequence",
    [TOPICS.lowBalance],
  );
  return rows.map((row) => {
    const record: Record<string, string> = JSON.parse(row.record);
    return {
      accountId: record["account_id"] ?? "",
      crossing: BigInt(record["crossing"] ?? 0),
      balance: BigInt(record["balance"] ?? 0),
      threshold: BigInt(record["threshold"] ?? 0),
      cause: record["cause"] ?? "",
    };
  });
}

function lowIn({ expected }: DemoPlan): number {
  return [...expected.accounts.values()].filter(({ lowBalance }) => lowBalance !== null).length;
}

import { afterEach, beforeEach, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** What operators see: through the page's route, and through Prometheus. */
const AT = "2026-11-01T03:30:00.000Z";

const SKIPPED = [{ topic: "billing.credits", reason: "no_key", count: 2 }];

let books: Books;
let api: TestApi;

beforeEach(async () => {
  books = await openBooks();
  await openAccount(books, "acme", { lots: [{ credits: 5_000_000n }] });
  api = await openApi(books, { skipped: { counts: () => SKIPPED } });
});

afterEach(() => books.close());

test("shows what the scheduler last proved, and nothing before its first proof", async () => {
  expect((await api.ask("GET", "/v1/operations")).body.reconciliation).toBeNull();
  await proved(AT, { messages: 20, verified: 17, differences: 3 });
  expect((await api.ask("GET", "/v1/operations")).body.reconciliation).toEqual({
    ...{ at: AT, messages: "20", verified: "17", differences: "3" },
  });
});

test("Prometheus reads what is waiting, what was proved, and which charges are missing in the books", async () => {
  const before = await scraped();
  // The granted lot is to be published.
  expect(before).toMatchObject({ drawdown_outbox_records: 1, drawdown_accounts_due: 0 });
  expect(before).toMatchObject({ drawdown_unmatched_charges: 0, drawdown_refused_records: 0 });
  await proved("2026-10-31T03:30:00Z", { messages: 5, verified: 5, differences: 0 });
  await proved(AT, { messages: 20, verified: 17, differences: 3 });
  await books.database.query(
    "INSERT INTO unmatched_charge VALUES ('stripe', 'pi_1', 'acme', 'manual:1', 1000, 'USD', now())",
  );
  await books.database.query(
    `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, reason, detail, payload, recorded_at)
     VALUES ('usage.events', 0, 7, 'no_price', 'no price', '', now())`,
  );
  await books.database.query("UPDATE outbox SET refused = 'too large'");
  expect(await scraped()).toMatchObject({
    drawdown_outbox_records: 0,
    drawdown_refused_records: 1,
    drawdown_reconciliation_timestamp_seconds: Date.parse(AT) / 1000,
    drawdown_reconciliation_messages: 20,
    drawdown_reconciliation_verified_messages: 17,
    drawdown_reconciliation_differences: 3,
    drawdown_unmatched_charges: 1,
    'drawdown_dead_letters{reason="no_price"}': 1,
    'drawdown_skipped_records{topic="billing.credits",reason="no_key"}': 2,
  });
});

test("only a key of the scope admin may scrape", async () => {
  const asked = async (secret: string) =>
    (await api.ask("GET", "/metrics", { headers: { authorization: secret } })).status;
  expect(await asked("")).toBe(401);
  for (const scope of ["ingest", "read", "billing"] as const) {
    expect([scope, await asked(`Bearer ${await makeKey(books, [scope])}`)]).toEqual([scope, 403]);
  }
});

/** The value of each series. */
async function scraped(): Promise<Record<string, number>> {
  const { status, headers, text } = await api.ask("GET", "/metrics");
  expect(status).toBe(200);
  expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    series.map((line) => {
      const [name = "", value] = line.split(/ (?=[^ ]+$)/);
      return [name, Number(value)];
    }),
  );
}

async function proved(
  at: string,
  { messages, verified, differences }: Record<"messages" | "verified" | "differences", number>,
): Promise<void> {
  await books.database.query("INSERT INTO reconciliation VALUES ($1, '{}', $2, $3, 0, $4, '[]')", [
    at,
    messages,
    verified,
    differences,
  ]);
}

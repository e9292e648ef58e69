import kafkajs from "kafkajs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";
import { seriesOf } from "../support/processes/ask-metrics.ts";

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

test.each([
  new kafkajs.KafkaJSConnectionError("Connection error: connect ECONNREFUSED 127.0.0.1:9092"),
  new kafkajs.KafkaJSRequestTimeoutError("Request Metadata(key: 3, version: 6) timed out"),
])("says that Kafka is away, not the database: $message", async (outage) => {
  const admin = testKafka().admin();
  vi.spyOn(admin, "fetchTopicOffsets").mockRejectedValue(outage);
  const { ask } = await openApi(books, { admin });
  expect((await ask("GET", "/v1/operations")).body).toMatchObject({
    status: 503,
    detail: "Kafka is unavailable; try again in a few seconds",
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
    'drawdown_skipped_records_total{topic="billing.credits",reason="no_key"}': 2,
  });
});

test("Prometheus reads for how long what is due, held, unknown or uncompared has waited", async () => {
  let now = Date.parse(AT);
  api = await openApi(books, { now: () => now });
  const { database } = books;
  await database.query("DELETE FROM outbox; DELETE FROM balance_change");
  const none = {
    ...{ drawdown_accounts_due_seconds: 0, drawdown_holds: 0, drawdown_holds_overdue_seconds: 0 },
    ...{ drawdown_payments_unknown_seconds: 0, drawdown_charges_uncompared_seconds: 0 },
    ...{ drawdown_outbox_waiting_seconds: 0, 'drawdown_top_ups{status="pending"}': 0 },
  };
  expect(await scraped()).toMatchObject(none);
  await database.query(
    `UPDATE account SET next_due_at = '${AT}', settle_at = '${AT}' WHERE account_id = 'acme'`,
  );
  await database.query(
    `INSERT INTO hold (account_id, hold_id, request, asked, credits, status, requested_by, created_at, expires_at)
     VALUES ('acme', 'h', sha256('h'), 5, 5, 'open', 'key:any', '${AT}', '${AT}')`,
  );
  await database.query(
    `INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life, attempt, calls, gateway,
                          reason, created_at, attempted_at)
     VALUES ('acme', 'p', 'top_up', 'pending', 1000, 'USD', 5, 'usual', 1, 1, 'stripe', '', '${AT}', '${AT}')`,
  );
  await database.query(`INSERT INTO charge_check VALUES ('stripe', '${AT}')`);
  now += 90_000;
  expect(await scraped()).toMatchObject({
    ...{ drawdown_accounts_due: 1, drawdown_accounts_due_seconds: 90 },
    ...{ drawdown_holds: 1, drawdown_holds_overdue_seconds: 90 },
    ...{ drawdown_payments_unknown_seconds: 90, drawdown_charges_uncompared_seconds: 90 },
    ...{ 'drawdown_top_ups{status="pending"}': 1, 'drawdown_top_ups{status="failed"}': 0 },
  });
});

test("what cannot be read of the books is left out, and the rest is served", async () => {
  await books.database.query("ALTER TABLE hold RENAME TO away");
  const found = await scraped();
  expect(found).toMatchObject({
    'drawdown_metrics_source_up{source="due"}': 0,
    'drawdown_metrics_source_up{source="outbox"}': 1,
    drawdown_unmatched_charges: 0,
  });
  expect(Object.keys(found)).not.toContain("drawdown_accounts_due");
});

test("only a key of the scope admin may scrape", async () => {
  const asked = async (secret: string) =>
    (await api.ask("GET", "/metrics", { headers: { authorization: secret } })).status;
  expect(await asked("")).toBe(401);
  for (const scope of ["ingest", "read", "billing"] as const) {
    expect([scope, await asked(`Bearer ${await makeKey(books, [scope])}`)]).toEqual([scope, 403]);
  }
});

async function scraped(): Promise<Record<string, number>> {
  const { status, headers, text } = await api.ask("GET", "/metrics");
  expect(status).toBe(200);
  expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  return seriesOf(text);
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

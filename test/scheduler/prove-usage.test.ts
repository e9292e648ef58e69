import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { housekeeping } from "../../services/scheduler/housekeeping.ts";
import { usageProof } from "../../services/scheduler/prove-usage.ts";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { recordUsageComplete } from "../../shared/ledger/books/usage-complete.ts";
import { listHousekeeping } from "../../shared/ledger/housekeeping/runs.ts";
import { inTransaction } from "../../shared/ledger/postgres/database.ts";
import {
  becomeReconciler,
  readLastReconciliation,
} from "../../shared/ledger/proof/reconciliations.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { whileMetering } from "../reconcile/metered-books.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { silent, testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";

/** The scheduler's nightly run: only what is new, reported until it is repaired; and its housekeeping. */
const kafka = testKafka();
const ACCOUNT = `proof-${randomBytes(4).toString("hex")}`;
const DAY = 24 * 60 * 60_000;
const stopping = new AbortController().signal;

let books: Books;
let publisher: UsagePublisher;
let giveBack: () => Promise<void>;
let published = 0;

beforeAll(async () => {
  giveBack = await takeUsageTopic(kafka);
  publisher = await openUsagePublisher(kafka);
  books = await openBooks();
  await setPrice(books, "call", 5n);
  await openAccount(books, ACCOUNT, { lots: [{ credits: 1_000n }] });
}, 60_000);

afterAll(async () => {
  await publisher?.close();
  await books?.close();
  await giveBack?.();
});

test("each run proves what is new since the previous one", async () => {
  await use(10);
  await prove();
  await use(4);
  await prove();
  await prove();
  expect(await runs()).toEqual([
    { messages: 10n, verified: 10n, credits: 50n, differences: 0n },
    { messages: 4n, verified: 4n, credits: 20n, differences: 0n },
    { messages: 0n, verified: 0n, credits: 0n, differences: 0n },
  ]);
}, 60_000);

test("a difference is stored with its description, and re-checked until it is repaired", async () => {
  await use(6);
  await books.database.query("UPDATE usage_record SET credits = 6 WHERE event_id = $1", [
    `${ACCOUNT}-${published - 1}`,
  ]);
  await prove();
  await prove();
  const differing = { messages: 6n, verified: 5n, credits: 25n, differences: 1n };
  expect((await runs()).slice(-2)).toEqual([differing, differing]);
  const { rows } = await books.database.query(
    "SELECT listed FROM reconciliation ORDER BY reconciled_at DESC LIMIT 1",
  );
  expect(rows[0].listed).toEqual([
    {
      id: `other_price:${ACCOUNT}-${published - 1}`,
      account_id: ACCOUNT,
      says: expect.stringContaining("costs 0.000005 credits, but its record has 0.000006"),
    },
  ]);
  await books.database.query("UPDATE usage_record SET credits = 5");
  await prove();
  await prove();
  expect((await runs()).slice(-2)).toEqual([
    { messages: 6n, verified: 6n, credits: 30n, differences: 0n },
    { messages: 0n, verified: 0n, credits: 0n, differences: 0n },
  ]);
}, 60_000);

test("credits of all accounts that together exceed 64 bits are stored, and not proved again", async () => {
  const accounts = [1, 2, 3].map((number) => `${ACCOUNT}-big-${number}`);
  await setPrice(books, "unit", 1n);
  for (const account of accounts) await openAccount(books, account);
  await publisher.publish(
    accounts.map((accountId) => {
      return { eventId: accountId, accountId, meter: "unit", quantity: MAX_BIGINT };
    }),
  );
  await whileMetering(books, () => untilCaughtUp(kafka, books.database));
  await prove();
  expect(await readLastReconciliation(books.database)).toMatchObject({
    ...{ messages: 3n, verified: 3n, differences: 0n },
    credits: 3n * MAX_BIGINT,
  });
  await prove();
  expect(await readLastReconciliation(books.database)).toMatchObject({ messages: 0n, credits: 0n });
}, 60_000);

test("one scheduler at a time proves; others skip", async () => {
  const before = (await runs()).length;
  await inTransaction(books.database, async (other) => {
    expect(await becomeReconciler(other)).toBe(true);
    await prove();
  });
  expect(await runs()).toHaveLength(before);
});

test("housekeeping deletes old rows, and dead letters whose messages have left the topic", async () => {
  await books.database.query(
    `INSERT INTO api_request VALUES ('key', 'old', '', 200, '{}', now() - interval '3 days');
     INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, reason, detail, payload, recorded_at,
                              published_at, dismissed_at, dismissed_by, dismissed_reason)
     SELECT 'usage.events', 0, place, 'unreadable', '', '', now(), now(), now() - interval '2 days', '', ''
     FROM unnest('{-1, 1000000000}'::bigint[]) AS place`,
  );
  await recordUsageComplete(books.database, Date.now() + DAY);
  const retention = {
    deadLetters: { count: 1, unit: "day" },
    reconciliations: null,
    repeats: null,
    usage: null,
    webhooks: null,
  } as const;
  const waits = retryOutages({ logger: silent, stopping });
  await housekeeping({
    ...{ database: books.database, kafka, waits, logger: silent, stopping, retention },
  })();
  expect(await listHousekeeping(books.database)).toMatchObject([
    { table: "alert", deleted: 0n, keptFor: "13 months" },
    { table: "api_request", deleted: 1n },
    { table: "budget_spend", deleted: 0n },
    { table: "dashboard_token", deleted: 0n },
    { table: "dead_letter", deleted: 1n, keptFor: "1 day" },
    { table: "hold", deleted: 0n },
    { table: "reconciliation", deleted: 0n, keptFor: "forever" },
    { table: "usage_identity", deleted: 0n, keptFor: "forever" },
    { table: "usage_page", deleted: 0n, keptFor: "forever" },
    { table: "webhook_delivery", deleted: 0n, keptFor: "forever" },
  ]);
});

async function use(events: number): Promise<void> {
  const usages = Array.from({ length: events }, () => {
    return { eventId: `${ACCOUNT}-${published++}`, accountId: ACCOUNT, quantity: 1n };
  });
  await publisher.publish(usages);
  await whileMetering(books, () => untilCaughtUp(kafka, books.database));
}

function prove(): Promise<void> {
  const waits = retryOutages({ logger: silent, stopping });
  const registry = openRegistry(readSettings(process.env).registry);
  return usageProof({
    database: books.database,
    kafka,
    registry,
    waits,
    logger: silent,
    stopping,
  })();
}

async function runs() {
  const { rows } = await books.database.query(
    "SELECT messages, verified, credits, differences FROM reconciliation ORDER BY reconciled_at",
  );
  return rows.map((row) => ({ ...row, credits: BigInt(row.credits) }));
}

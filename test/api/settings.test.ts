import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Books, openAccount, openAccountWithCard, openBooks } from "../support/books/books.ts";
import { openPayer, sellCredits } from "../support/books/payers.ts";
import { openCatalogue } from "../support/books/subscribers.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** Subscriptions, add-ons, auto top-up and top-ups by hand, as set by products and customers. */
let books: Books;
let api: TestApi;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
});

afterAll(async () => {
  await books?.close();
});

beforeEach(async () => {
  api = await openApi(books);
});

const at = (account: string, rest = "") => `/v1/accounts/${account}${rest}`;

test("a subscription is begun, changed, cancelled and resumed; its history records by whom", async () => {
  await openAccountWithCard(books, "subscriber");
  const url = at("subscriber", "/subscription");
  const begun = await api.ask("POST", url, { body: { plan_id: "hundred" } });
  expect([begun.status, begun.body.subscription.plan_id]).toEqual([201, "hundred"]);
  expect((await api.ask("POST", url, { body: { plan_id: "hundred" } })).status).toBe(422);
  await api.ask("PUT", at("subscriber", "/add-ons/voice"), { body: { quantity: 2 } });
  const yearly = await api.ask("PATCH", url, { body: { interval: "year" } });
  expect(yearly.body).toMatchObject({
    subscription: { next_interval: "year" },
    add_ons: [{ add_on_id: "voice", quantity: 2, credits_per_month: "20000000" }],
  });
  const cancelled = await api.ask("PATCH", url, { body: { cancelled: true } });
  expect(cancelled.body.subscription.cancelled).toBe(true);
  await api.ask("PATCH", url, { body: { cancelled: false } });
  const { items } = (await api.ask("GET", at("subscriber", "/subscription/changes"))).body;
  expect(items.map((one: { kind: string }) => one.kind)).toEqual([
    "subscribed",
    "add_on_changed",
    "interval_change_planned",
    "cancelled",
    "resumed",
  ]);
  expect(items[0].by).toMatch(/^key:[0-9a-f]{16}$/);
  expect((await api.ask("GET", at("subscriber", "/balance"))).body.balance).toBe("60000000");
});

test("two changes in one request are refused, since either might fail alone", async () => {
  await openAccount(books, "two");
  const body = { interval: "year", cancelled: true };
  expect((await api.ask("PATCH", at("two", "/subscription"), { body })).status).toBe(400);
});

test("auto top-up is set, and reset to its default", async () => {
  await openAccount(books, "auto");
  const url = at("auto", "/auto-top-up");
  const set = await api.ask("PATCH", url, { body: { amount: "2500", enabled: false } });
  expect(set.body).toMatchObject({ enabled: false, amount: "2500", limit_per_day: "25000" });
  const back = await api.ask("PATCH", url, { body: { amount: null } });
  expect(back.body).toMatchObject({ enabled: false, amount: "1000" });
  const little = await api.ask("PATCH", url, { body: { amount: "1" } });
  expect([little.status, little.body.type]).toEqual([422, "urn:drawdown:below_minimum"]);
  expect(little.body.detail).toMatch(/at least USD/);
});

test("a customer's token sets no more than the seller's ceilings, which are shown beside", async () => {
  await openPayer(books, "capped", { card: "card_approve" });
  const made = await api.ask("POST", at("capped", "/dashboard-tokens"), { body: {} });
  const headers = { authorization: `Bearer ${made.body.token}` };
  const set = (body: object) => api.ask("PATCH", at("capped", "/auto-top-up"), { body, headers });
  const absurd = "9000000000000000000";
  for (const [field, amount] of [
    ["amount", "99999999"],
    ["limit_per_day", absurd],
    ["limit_per_month", absurd],
  ] as const) {
    const { status, body } = await set({ [field]: amount });
    expect([status, body.type, body.field]).toEqual([422, "urn:drawdown:above_ceiling", field]);
    expect(body.detail).toMatch(/is above the seller's ceiling of USD/);
  }
  const high = await api.ask("PATCH", at("capped"), { body: { threshold: absurd }, headers });
  expect([high.status, high.body.type]).toEqual([422, "urn:drawdown:threshold_too_high"]);
  expect(high.body.detail).toContain("at most 49999.999999 credits");

  const lowered = { amount: "2000", limit_per_day: "3000" };
  const url = at("capped", "/top-up-ceilings");
  expect((await api.ask("PATCH", url, { body: lowered, headers })).status).toBe(403);
  expect((await api.ask("PATCH", url, { body: {} })).status).toBe(400);
  const capped = await api.ask("PATCH", url, { body: lowered });
  expect(capped.body).toMatchObject({
    ...{ amount: "1000", limit_per_day: "3000", limit_per_month: "50000" },
    ceilings: {
      ...{ amount: "2000", limit_per_day: "3000", limit_per_month: "1000000" },
      defaults: { amount: false, limit_per_day: false, limit_per_month: true },
    },
  });
  const buy = (amount: string) =>
    api.ask("POST", at("capped", "/top-ups"), { body: { amount }, headers });
  expect((await buy("2001")).body).toMatchObject({ type: "urn:drawdown:above_ceiling" });
  expect((await buy("2000")).status).toBe(201);
  expect((await set({ amount: "1500" })).body).toMatchObject({
    charged: { today: "2000", this_month: "2000" },
    consent: { by: "customer", by_default: false },
  });
  const { items } = (await api.ask("GET", at("capped", "/settings/changes?limit=2"), { headers }))
    .body;
  expect(items).toMatchObject([
    { by: "customer", auto_top_up: { amount: "1500" } },
    { by: "seller", auto_top_up: { ceilings: { amount: "2000" } } },
  ]);
  // With a seller's key the names are there.
  const whole = await api.ask("GET", at("capped", "/settings/changes?limit=2"));
  expect(whole.body.items).toMatchObject([
    { by: expect.stringMatching(/^token:/) },
    { by: expect.stringMatching(/^key:/) },
  ]);
});

test("the threshold is the customer's to change", async () => {
  await openAccount(books, "threshold", { lots: [{ credits: 5n }] });
  const key = await makeKey(books, ["billing"]);
  const headers = { authorization: `Bearer ${key}` };
  const raised = await api.ask("PATCH", at("threshold"), { body: { threshold: "5" }, headers });
  expect(raised.body).toMatchObject({ threshold: "5", low_balance: true });
});

test("a top-up by hand is pending, once per key, and refused with a reason where it is not possible", async () => {
  await openPayer(books, "payer", { card: "card_approve" });
  const ask = (amount: string, key: string) =>
    api.ask("POST", at("payer", "/top-ups"), {
      body: { amount },
      headers: { "idempotency-key": key },
    });
  const made = await ask("1500", "k-1");
  expect(made.body).toMatchObject({ payment_id: "manual:k-1", status: "pending", amount: "1500" });
  expect((await ask("1500", "k-1")).text).toBe(made.text);
  const second = await ask("1500", "k-2");
  expect([second.status, second.body.type]).toEqual([422, "urn:drawdown:top_up_pending"]);
  const { items } = (await api.ask("GET", at("payer", "/top-ups"))).body;
  expect(items).toHaveLength(1);
  await openAccount(books, "poor");
  const poor = await api.ask("POST", at("poor", "/top-ups"), { body: { amount: "1000" } });
  expect([poor.status, poor.body.type]).toEqual([422, "urn:drawdown:no_payment_method"]);
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Books, openAccount, openAccountWithCard, openBooks } from "../support/books/books.ts";
import { openPayer, sellCredits } from "../support/books/payers.ts";
import { openCatalogue } from "../support/books/subscribers.ts";
import { zoneAtNoon } from "../support/books/zone-at-noon.ts";
import { topUp } from "../support/cli/pay.ts";
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

test("a payment method is set by its ids, and shows who set it", async () => {
  await openAccount(books, "method");
  const url = at("method", "/payment-method");
  expect((await api.ask("GET", url)).body.payment_method).toMatchObject({ set: false });
  const body = { customer: "cus_1", method: "pm_1" };
  const key = await makeKey(books, ["billing"]);
  const headers = { authorization: `Bearer ${key}` };
  const made = await api.ask("PUT", url, { body, headers });
  expect([made.status, made.body]).toEqual([
    200,
    {
      account_id: "method",
      payment_method: {
        ...{ set: true, ...body, set_by: `key:${key.split("_")[1]}` },
        set_at: expect.stringMatching(/Z$/),
        ...{ removed_by: null, removed_at: null },
      },
    },
  ]);
  expect((await api.ask("GET", url, { headers })).body).toEqual(made.body);
  const number = "4242 4242 4242 4242";
  const refused = await api.ask("PUT", url, { body: { ...body, method: number }, headers });
  expect([refused.status, refused.body.field]).toEqual([400, "method"]);
  expect(refused.text).toMatch(/give the payment gateway's id instead/);
  expect(refused.text).not.toContain(number);
});

test("a payment method is removed, by whom is shown, and again is answered the same", async () => {
  await openPayer(books, "removed");
  const url = at("removed", "/payment-method");
  const gone = await api.ask("DELETE", url);
  expect([gone.status, gone.body]).toEqual([
    200,
    {
      account_id: "removed",
      payment_method: {
        ...{ set: false, customer: null, method: null, set_by: null, set_at: null },
        removed_by: expect.stringMatching(/^key:[0-9a-f]{16}$/),
        removed_at: expect.stringMatching(/Z$/),
      },
    },
  ]);
  const headers = { authorization: `Bearer ${await makeKey(books, ["billing"])}` };
  expect((await api.ask("DELETE", url, { headers })).body).toEqual(gone.body);
  expect((await api.ask("GET", url, { headers })).body).toEqual(gone.body);
  expect((await api.ask("GET", at("removed", "/auto-top-up"))).body).toMatchObject({
    ...{ enabled: true, stopped: "There is no payment method; add one to pay." },
  });
  expect(
    (await api.ask("POST", at("removed", "/top-ups"), { body: { amount: "1000" } })).body,
  ).toMatchObject({
    type: "urn:drawdown:no_payment_method",
  });
});

test("a payment is refunded in parts, each once, by whom; never more than was paid", async () => {
  await openPayer(books, "refunded");
  const paymentId = await topUp(books, "refunded", { amount: 1_000n, key: "one" });
  const url = at("refunded", `/payments/${paymentId}/refunds`);
  const refund = (key: string, body: object) =>
    api.ask("POST", url, { body, headers: { "idempotency-key": key } });
  const first = await refund("ticket-1", { amount: "300" });
  expect([first.status, first.body]).toMatchObject([
    201,
    { refund_id: "ticket-1", payment_id: paymentId, status: "pending", amount: "300" },
  ]);
  expect(first.body.asked_by).toMatch(/^key:[0-9a-f]{16}$/);
  expect((await refund("ticket-1", { amount: "300" })).body).toEqual(first.body);
  // Another caller's idempotency keys are its own; the refund is still the same one.
  const asOther = async (amount: string) => {
    const authorization = `Bearer ${await makeKey(books, ["billing"])}`;
    const headers = { authorization, "idempotency-key": "ticket-1" };
    return api.ask("POST", url, { headers, body: { amount } });
  };
  const again = await asOther("300");
  expect([again.status, again.body]).toEqual([200, first.body]);
  const other = await asOther("301");
  expect([other.status, other.body.type]).toEqual([409, "urn:drawdown:refund_exists"]);
  const tooMuch = await refund("ticket-2", { amount: "701" });
  expect([tooMuch.status, tooMuch.body.type]).toEqual([422, "urn:drawdown:exceeds_refundable"]);
  expect((await refund("ticket-3", {})).body).toMatchObject({ amount: "700" });
  const { items } = (await api.ask("GET", url)).body;
  expect(items.map(({ amount }: { amount: string }) => amount)).toEqual(["300", "700"]);
  const none = await api.ask("GET", at("refunded", "/payments/none/refunds"));
  expect([none.status, none.body.field]).toEqual([404, "payment_id"]);
});

test("a catalogue file is previewed and applied as a whole, and shows who did it", async () => {
  const key = await makeKey(books, ["catalogue"]);
  const headers = { authorization: `Bearer ${key}` };
  const post = (to: string, body: object) =>
    api.ask("POST", `/v1/catalogue/${to}`, { headers, body });
  const body = { meters: { pages: { credits: 0.25, per: 1 } }, add_ons: { seat: { credits: 5 } } };
  const preview = await post("previews", body);
  expect([preview.status, preview.body.outcome]).toEqual([200, "would_apply"]);
  const idsOf = async (): Promise<string[]> =>
    (await api.ask("GET", "/v1/catalogue", { headers })).body.add_ons.map(
      ({ add_on_id }: { add_on_id: string }) => add_on_id,
    );
  expect(await idsOf()).not.toContain("seat");
  const applied = await post("changes", body);
  expect(applied.body).toMatchObject({
    outcome: "applied",
    changes: [
      { change: "added", what: "meter", id: "pages", credits: "250000", per: "1", replaces: null },
      { change: "added", what: "add_on", id: "seat", credits: "5000000" },
    ],
  });
  expect((await post("changes", body)).body.outcome).toBe("unchanged");
  const shown = (await api.ask("GET", "/v1/catalogue", { headers })).body.add_ons;
  expect(shown).toContainEqual(
    expect.objectContaining({ add_on_id: "seat", set_by: `key:${key.split("_")[1]}` }),
  );

  const yaml = (payload: string) =>
    api.app.inject({
      ...{ method: "POST", url: "/v1/catalogue/changes", payload },
      headers: { ...headers, "content-type": "application/yaml" },
    });
  const tiny = `meters:\n  tiny: { credits: 0.0000010000000000000000000001, per: 1 }\n`;
  const typo = await yaml(`${tiny}\nadd_ons:\n  more: { credit: 5 }\n`);
  expect([typo.statusCode, typo.json()]).toMatchObject([
    400,
    {
      ...{ type: "urn:drawdown:invalid", field: "meters.tiny.credits" },
      problems: [
        { line: 2 },
        { line: 5 },
        { line: 5, problem: expect.stringMatching(/did you mean/) },
      ],
    },
  ]);
  const past = { from: "2020-01-01T00:00:00Z", credits: 6 };
  const early = await yaml(`add_ons: { more: { credits: 1 }, seat: ${JSON.stringify(past)} }`);
  expect([early.statusCode, early.json()]).toMatchObject([
    422,
    {
      ...{ type: "urn:drawdown:too_early", field: "add_ons.seat" },
      problems: [{ line: 1, field: "add_ons.seat" }],
    },
  ]);
  expect(await idsOf()).not.toContain("more");
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
  await openPayer(books, "capped", { card: "card_approve", timeZone: zoneAtNoon() });
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

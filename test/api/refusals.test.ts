/** Refusals of core and ledger reach the caller under their own codes, in words for a customer. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { MOST_COUNTED } from "../../shared/core/budgets/counted.ts";
import { decideFeeFailed } from "../../shared/core/changes/suspend-subscription.ts";
import type { RefusalKind } from "../../shared/core/line/refusal.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { changeSubscription } from "../../shared/ledger/credits/change-subscription.ts";
import { setPaymentMethod } from "../../shared/ledger/payments/methods.ts";
import { setAutoTopUp } from "../../shared/ledger/payments/set-auto-top-up.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { dropMonths, noon, oldUsage } from "../support/books/old-usage.ts";
import { openPayer, sellCredits } from "../support/books/payers.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { offer } from "../support/cli/offer.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/**
 * Refusals that no route can cause, that a route's schema catches before, that take 20,000 buckets to cause,
 * or that the tests of payments, the catalogue and dead letters cause.
 */
type Elsewhere =
  | `${"version" | "already_dismissed" | "already_retried" | "none_to_retry" | "too_early"}${string}`
  | "unknown_time_zone"
  | `${"refund_exists" | "not_paid" | "exceeds" | "no_payload" | "payload_cut"}${string}`
  | "threshold_too_high"
  | "invalid_quantity"
  | "range_too_large"
  | "priced_by_dimensions"
  | "unknown_delivery"
  | "too_many_webhooks";

type Asked = readonly [
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
  url: string,
  body?: object,
];

const CASES: Readonly<Record<Exclude<RefusalKind, Elsewhere>, readonly [number, ...Asked[]]>> = {
  unknown_account: [404, ["GET", "nobody"], ["POST", "nobody/grants", { credits: "1" }]],
  unknown_lot: [404, ["GET", "bare/lots/none/usage"]],
  unknown_payment: [
    404,
    ["GET", "bare/payments/none/refunds"],
    ["POST", "bare/payments/none/refunds", {}],
  ],
  unknown_dead_letter: [404, ["POST", "/v1/dead-letters/usage.events/0/99/retries"]],
  no_dead_letters: [422, ["POST", "/v1/dead-letters/retries", { reason: "missed" }]],
  unknown_hold: [
    404,
    ["GET", "bare/holds/none"],
    ["PATCH", "bare/holds/none", { ttl_seconds: 60 }],
    ["POST", "bare/holds/none/capture", { credits: "1" }],
    ["POST", "payer/holds/set/release"],
  ],
  unknown_budget: [
    404,
    ["DELETE", "bare/budgets/team/day"],
    ["DELETE", "bare/budgets/team/all/values/a"],
  ],
  budget_used_up: [
    402,
    ["POST", "limited/holds", { hold_id: "too much", credits: "3", dimensions: { d0: "a" } }],
  ],
  too_many_budget_dimensions: [422, ["PUT", "limited/budgets/team/day", { credits: "1" }]],
  hold_exists: [409, ["POST", "bare/holds", { hold_id: "set", credits: "2" }]],
  insufficient_credits: [402, ["POST", "bare/holds", { hold_id: "more", credits: "6" }]],
  hold_captured: [
    409,
    ["POST", "bare/holds/final/capture", { credits: "1" }],
    ["POST", "bare/holds/final/release"],
    ["PATCH", "bare/holds/final", { ttl_seconds: 60 }],
  ],
  hold_ended: [409, ["POST", "bare/holds/gone/capture", { credits: "1" }]],
  unknown_event: [404, ["GET", "bare/events/none"]],
  usage_past_retention: [
    422,
    ["GET", "old/usage-records?from=2025-08-01T00:00:00Z&to=2025-12-01T00:00:00Z"],
    ["GET", "old/usage?group=source&from=2025-08-01T00:00:00Z&to=2025-12-01T00:00:00Z"],
    ["GET", "old/usage?from=2025-08-10T12:30:00Z&to=2025-12-01T00:00:00Z"],
  ],
  several_sources: [409, ["GET", "twins/events/taken"]],
  unknown_key: [404, ["DELETE", "/v1/keys/0123456789abcdef"]],
  unknown_webhook: [
    404,
    ["GET", "/v1/webhooks/0123456789abcdef"],
    ["DELETE", "/v1/webhooks/0123456789abcdef"],
    ["POST", "/v1/webhooks/0123456789abcdef/pause"],
    ["POST", "/v1/webhooks/0123456789abcdef/resume"],
    ["POST", "/v1/webhooks/0123456789abcdef/secret"],
    ["GET", "/v1/webhooks/0123456789abcdef/deliveries"],
  ],
  webhook_url: [
    422,
    ["POST", "/v1/webhooks", { url: "http://127.0.0.1", types: ["billing.credits"] }],
  ],
  unknown_token: [404, ["DELETE", "bare/dashboard-tokens/0123456789abcdef"]],
  unknown_meter: [422, ["GET", "bare/allowance?meter=none&quantity=1"]],
  no_price: [422, ["GET", "bare/allowance?meter=coming&quantity=1"]],
  unknown_plan: [422, ["POST", "bare/subscription", { plan_id: "none" }]],
  unknown_add_on: [422, ["PUT", "member/add-ons/none", { quantity: 1 }]],
  account_exists: [409, ["POST", "/v1/accounts", { account_id: "bare", currency: "EUR" }]],
  lot_exists: [409, ["POST", "bare/grants", { credits: "2", lot_id: "bare-lot-1" }]],
  adjustment_exists: [
    ...([409, ["POST", "bare/adjustments", { credits: "-2", reference: "once" }]] as const),
  ],
  top_up_exists: [409, ["POST", "busy/top-ups", { amount: "1600" }]],
  no_subscription: [
    422,
    ["PATCH", "bare/subscription", { cancelled: true }],
    ["PUT", "bare/add-ons/voice", { quantity: 1 }],
  ],
  already_subscribed: [422, ["POST", "member/subscription", { plan_id: "hundred" }]],
  already_cancelled: [422, ["PATCH", "leaving/subscription", { cancelled: true }]],
  not_cancelled: [422, ["PATCH", "member/subscription", { cancelled: false }]],
  subscription_suspended: [422, ["PATCH", "owing/subscription", { interval: "year" }]],
  no_way_to_pay: [422, ["POST", "bare/subscription", { plan_id: "hundred" }]],
  fee_unpaid: [422, ["POST", "indebted/subscription", { plan_id: "hundred" }]],
  no_change: [
    422,
    ["PATCH", "member/subscription", { plan_id: "hundred" }],
    ["PATCH", "member/subscription", { interval: "month" }],
    ["PUT", "member/add-ons/voice", { quantity: 0 }],
    ["PATCH", "bare", { threshold: "0" }],
    ["PATCH", "bare", { time_zone: "UTC" }],
  ],
  no_plan_price: [422, ["POST", "bare/subscription", { plan_id: "euros" }]],
  no_credit_price: [422, ["POST", "krona/top-ups", { amount: "1000" }]],
  no_payment_method: [422, ["POST", "bare/top-ups", { amount: "1000" }]],
  top_up_pending: [422, ["POST", "busy/top-ups", { amount: "1000" }]],
  too_many_attempts: [
    429,
    ["POST", "tested/top-ups", { amount: "1000" }],
    ["PUT", "tested/payment-method", { customer: "cus_1", method: "pm_1" }],
    ["PATCH", "tested/auto-top-up", { enabled: true }],
    ["POST", "tested/subscription", { plan_id: "hundred" }],
  ],
  below_minimum: [
    422,
    ["POST", "payer/top-ups", { amount: "1" }],
    ["PATCH", "payer/auto-top-up", { amount: "1" }],
  ],
  above_maximum: [422, ["PATCH", "payer/top-up-ceilings", { amount: "100000000" }]],
  above_ceiling: [
    422,
    ["POST", "payer/top-ups", { amount: "100001" }],
    ["PATCH", "payer/auto-top-up", { limit_per_day: "9000000000000000000" }],
  ],
  above_limit: [422, ["POST", "payer/top-ups", { amount: "10001" }]],
  limit_below_amount: [422, ["PATCH", "payer/auto-top-up", { limit_per_day: "999" }]],
  no_credits: [
    422,
    ["POST", "bare/grants", { credits: "0" }],
    ["POST", "bare/holds", { hold_id: "none", credits: "-1" }],
    ["POST", "bare/adjustments", { credits: "0", reference: "none" }],
  ],
  overflow: [
    422,
    ["POST", "bare/grants", { credits: "9223372036854775807" }],
    ["POST", "payer/subscription", { plan_id: "vast" }],
  ],
  reserved_lot_id: [422, ["POST", "bare/grants", { credits: "1", lot_id: "plan:1:0" }]],
  already_ended: [
    ...([
      422,
      ["POST", "bare/grants", { credits: "1", expires_at: "2020-01-01T00:00:00Z" }],
    ] as const),
  ],
};

let books: Books;
let api: TestApi;
const url = (path: string) => (path.startsWith("/") ? path : `/v1/accounts/${path}`);

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await offer(books, {
    euros: { credits: 1n, currency: "EUR" },
    vast: { credits: 2n ** 63n - 1n },
  });
  await sellCredits(books);
  await setPrice(books, "coming", 1n, 1n, Date.UTC(2100, 0));
  await openAccount(books, "bare", { lots: [{ credits: 5n }] });
  for (const id of ["set", "final", "gone"]) await changeHold(books, askedHold("bare", id, 1n));
  const bare = { accountId: toAccountId("bare") };
  await changeHold(books, { kind: "capture", ...bare, holdId: "final", credits: 0n });
  await changeHold(books, { kind: "release", ...bare, holdId: "gone" });
  await openAccount(books, "limited", { lots: [{ credits: 5n }] });
  for (let at = 0; at < MOST_COUNTED; at += 1) {
    await setBudgetOf(books, "limited", `d${at}`, { credits: 2n });
  }
  await openAccount(books, "twins");
  await setPrice(books, "call", 1n);
  await openAccount(books, "old", { at: noon("2025-07-01") });
  await oldUsage(books, "old").use("2025-08-10");
  await dropMonths(books.database, noon("2025-10-20"));
  const taken = { eventId: "taken", accountId: "twins", meter: "call", quantity: 1n };
  await meterEvents(books, [taken, { ...taken, source: "other" }]);
  for (const id of ["payer", "busy", "krona", "tested"]) await openPayer(books, id);
  const tester = { accountId: toAccountId("tested"), now: Date.now(), by: "test" };
  const card = { customer: "cus_1", method: "pm_1" };
  for (let set = 1; set < 10; set += 1) await setPaymentMethod(books.database, tester, card);
  await setAutoTopUp(books.database, tester, { enabled: false });
  await books.database.query("UPDATE account SET currency = 'SEK' WHERE account_id = 'krona'");
  const now = Date.now();
  for (const id of ["member", "leaving", "owing", "indebted"])
    await openSubscriber(books, id, { at: now, renewal: "day_of_month" });
  // It has ended, and its fee is still to be paid.
  await books.database.query(
    `UPDATE schedule
     SET plan_id = NULL, interval = NULL, renewal = NULL, anchor_date = NULL, subscribed_at = NULL,
         period = NULL, next_period_at = NULL, period_credits = NULL, paid_until = NULL,
         currency = NULL, paid_price = NULL
     WHERE account_id = 'indebted'`,
  );
  const owing = { accountId: toAccountId("owing"), now, by: "test" };
  await changeSubscription(books.database, owing, (context) =>
    decideFeeFailed({ number: 1, period: 0 }, context),
  );
});

afterAll(() => books?.close());

beforeEach(async () => {
  api = await openApi(books);
});

test("set-up: a cancelled subscription, an adjustment, a pending top-up", async () => {
  const made = [
    await api.ask("PATCH", url("leaving/subscription"), { body: { cancelled: true } }),
    await api.ask("POST", url("bare/adjustments"), { body: { credits: "-1", reference: "once" } }),
    await api.ask("POST", url("busy/top-ups"), {
      body: { amount: "1500" },
      headers: { "idempotency-key": "one" },
    }),
  ];
  expect(made.map(({ status }) => status)).toEqual([200, 201, 201]);
});

test.each(Object.entries(CASES))("%s", async (kind, [status, ...asked]) => {
  // Another caller's key, so that the Idempotency-Key differs from the previous request's.
  const headers = {
    authorization: `Bearer ${await makeKey(books, ["admin"])}`,
    ...(kind === "top_up_exists" ? { "idempotency-key": "one" } : {}),
  };
  for (const [method, path, body] of asked) {
    const answer = await api.ask(method, url(path), {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.body).toMatchObject({ type: `urn:drawdown:${kind}`, status });
    expect(answer.body.detail).not.toMatch(/drawdown|--/);
    const wait = Number(answer.headers["retry-after"] ?? 0);
    expect(status === 429 ? 3_500 < wait && wait <= 3_600 : wait === 0).toBe(true);
  }
});

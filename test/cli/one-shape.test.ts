import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_ALERTS } from "../../shared/core/alerts/alert-settings.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { dashboardLinkKey, makeDashboardToken } from "../../shared/ledger/access/make-access.ts";
import { setAlerts } from "../../shared/ledger/alerts/alert-settings.ts";
import { setOwnTerms } from "../../shared/ledger/credits/set-own-terms.ts";
import { requestRefund } from "../../shared/ledger/payments/refunds.ts";
import { inTransaction } from "../../shared/ledger/postgres/database.ts";
import { storeDeadLetters } from "../../shared/ledger/usage/dead-letters.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { sellCredits, setCard } from "../support/books/payers.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { zoneAtNoon } from "../support/books/zone-at-noon.ts";
import { drawdown, words } from "../support/cli/drawdown.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { topUp } from "../support/cli/pay.ts";
import { makeKey, openApi } from "../support/processes/api.ts";

/** A noun has one shape: on the same books, the command line's `--json` shows what the API answers. */
let books: Books;

const NOW = Date.now();

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
  await openSubscriber(books, "acme", { at: NOW, timeZone: zoneAtNoon(), voices: 2 });
  await setCard(books, "acme", "card_approve");
  await topUp(books, "acme", { amount: 1_000n, key: "order-17" });
  await setBudgetOf(books, "acme", "model", { window: "all", at: NOW });
  const alerts = { accountId: toAccountId("acme"), now: NOW, by: "test" };
  await setAlerts(books.database, alerts, { ...DEFAULT_ALERTS, monthPercents: [1] });
  await meterEvents(books, [
    {
      ...{ eventId: "call-1", accountId: "acme", meter: "call", quantity: 3n, occurredAt: NOW - 1 },
      dimensions: { model: "large" },
    },
  ]);
  const ref = { accountId: toAccountId("acme"), paymentId: "manual:order-17", by: "test" };
  await requestRefund(books.database, { ...ref, refundId: "r-1", amount: 100n, now: NOW });
  const discount = { kind: "discount", basisPoints: 1_250 } as const;
  const terms = { meter: null, validFrom: null, pricing: discount, reason: "contract" };
  const at = { accountId: toAccountId("acme"), now: NOW, by: "test" };
  await setOwnTerms(books.database, at, terms, 0);
  const now = Date.now();
  const keyId = await dashboardLinkKey(books.database, { createdBy: "test", now });
  const lease = { accountId: toAccountId("acme"), keyId, forMs: 600_000, readOnly: true, now };
  await makeDashboardToken(books.database, lease);
  await inTransaction(books.database, (transaction) =>
    storeDeadLetters(transaction, [
      {
        ...{ topic: TOPICS.usageEvents, partition: 0, offset: 7n, recordedAt: NOW },
        ...{ accountId: null, meter: null, occurredAt: null, key: null, payload: Buffer.from("x") },
        rejection: { reason: "unreadable", detail: "" },
      },
    ]),
  );
  await makeWebhook();
  await changeHold(books, askedHold("acme", "run-1", 1_000_000n, { ttlMs: 86_400_000 }));
});

async function makeWebhook() {
  await books.database.query(
    `INSERT INTO webhook_endpoint (endpoint_id, url, types, secret, created_by, created_at)
     VALUES ('${ENDPOINT}', 'https://example.com/', '{billing.top-ups}', 'whsec_', 'test', now());
     INSERT INTO webhook_delivery (account_id, endpoint_id, type, sequence, webhook_id, body, created_at)
     VALUES ('acme', '${ENDPOINT}', 'billing.top-ups', 1, '${DELIVERY}', '{}', now())`,
  );
}

afterAll(async () => {
  await books?.close();
});

async function show(line: string) {
  const { code, stdout, stderr } = await drawdown([...words(line), "--json"], {
    env: { DATABASE_URL: books.url },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** With a clock that stands still, so that what is asked for twice is the same. */
const open = () => openApi(books, { now: () => NOW });

const ACCOUNT = "/v1/accounts/{account_id}";
const WEBHOOK = "/v1/webhooks/{endpoint_id}";
const ENDPOINT = "1f0c2b7a9d3e4f56";
const DELIVERY = "msg_8b1a9953c4611296a827abf8c47804d7";

/** A route and the command that shows the same noun. */
const SAME = [
  { route: ACCOUNT, command: "account show acme" },
  { route: `${ACCOUNT}/settings/changes`, command: "account changes acme" },
  { route: `${ACCOUNT}/lots`, command: "lots acme" },
  { route: `${ACCOUNT}/entries`, command: "entries acme" },
  { route: `${ACCOUNT}/holds`, command: "hold list acme" },
  { route: `${ACCOUNT}/holds/{hold_id}`, command: "hold show acme run-1" },
  { route: `${ACCOUNT}/events/{event_id}`, command: "explain event call-1 --account acme" },
  { route: `${ACCOUNT}/rates`, command: "rate own list acme" },
  { route: `${ACCOUNT}/payments`, command: "payments acme" },
  { route: `${ACCOUNT}/top-ups`, command: "top-up list acme" },
  { route: `${ACCOUNT}/auto-top-up`, command: "top-up settings acme" },
  { route: `${ACCOUNT}/payment-method`, command: "payment-method show acme" },
  { route: `${ACCOUNT}/invoicing`, command: "invoicing show acme" },
  { route: `${ACCOUNT}/subscription/changes`, command: "subscription history acme" },
  { route: "/v1/payments", command: "payments" },
  { route: "/v1/catalogue", command: "catalogue show" },
  { route: "/v1/dead-letters", command: "dead-letters list" },
  { route: "/v1/keys", command: "key list" },
  { route: `${ACCOUNT}/dashboard-tokens`, command: "token list acme" },
  { route: `${ACCOUNT}/budgets`, command: "budget list acme" },
  { route: `${ACCOUNT}/alert-settings`, command: "alerts show acme" },
  { route: `${ACCOUNT}/alerts`, command: "alerts list acme" },
  { route: "/v1/webhooks", command: "webhooks list" },
  { route: `${WEBHOOK}/deliveries`, command: `webhooks deliveries ${ENDPOINT}` },
  {
    route: `${WEBHOOK}/deliveries/{webhook_id}`,
    command: `webhooks show ${ENDPOINT} ${DELIVERY}`,
  },
];

/** Commands that show more than the noun: the noun's fields are among theirs. */
const AMONG = [
  { route: `${ACCOUNT}/balance`, command: "account show acme" },
  { route: `${ACCOUNT}/subscription`, command: "subscription show acme" },
  { route: `${ACCOUNT}/payments`, command: "payment show acme manual:order-17" },
  { route: `${ACCOUNT}/lots`, command: "explain lot acme plan:1:0" },
  { route: `${ACCOUNT}/usage-records`, command: "explain event call-1 --account acme" },
  { route: `${ACCOUNT}/lots/{lot_id}/usage`, command: "explain lot acme plan:1:0", under: "usage" },
  {
    ...{ route: `${ACCOUNT}/payments/{payment_id}/refunds`, under: "refunds" },
    command: "payment show acme manual:order-17",
  },
  { route: "/v1/dead-letters", command: "dead-letters show usage.events/0/7" },
];

/** What only the API shows. */
const API_ONLY = [
  ...["/v1/accounts", "/v1/operations", "/health", "/metrics"],
  ...["runway", "allowance", "stream", "usage", "names"].map((path) => `${ACCOUNT}/${path}`),
  WEBHOOK,
];

const IDS = {
  account_id: "acme",
  event_id: "call-1",
  hold_id: "run-1",
  lot_id: "plan:1:0",
  payment_id: "manual:order-17",
  endpoint_id: ENDPOINT,
  webhook_id: DELIVERY,
};

async function answerOf(route: string) {
  const url = Object.entries(IDS).reduce(
    (path, [name, id]) => path.replace(`{${name}}`, id),
    route,
  );
  const { status, body } = await (await open()).ask("GET", url);
  expect(status).toBe(200);
  return body;
}

test.each(SAME)("$command shows what GET $route answers", async ({ route, command }) => {
  const answer = await answerOf(route);
  if ("items" in answer) expect(answer.items).not.toEqual([]);
  expect(await show(command)).toEqual(answer);
});

test.each([
  { url: "/v1/accounts/acme/lots", command: "lots acme" },
  { url: "/v1/accounts/acme/entries", command: "entries acme --limit 1" },
  { url: "/v1/accounts/acme/payments", command: "payments acme --limit 1" },
  { url: "/v1/accounts/acme/top-ups", command: "top-up list acme --limit 1" },
  { url: "/v1/payments", command: "payments --limit 1" },
  { url: "/v1/payments?account_id=acme&kind=fee", command: "payments acme --kind fee" },
])("the file that $command --csv writes is the API's", async ({ url, command }) => {
  const { app } = await open();
  const authorization = `Bearer ${await makeKey(books, ["read"])}`;
  const headers = { authorization, accept: "text/csv" };
  const { payload } = await app.inject({ url, headers });
  expect(payload.split("\r\n").length).toBeGreaterThan(2);
  const folder = await mkdtemp(join(tmpdir(), "one-shape-"));
  try {
    const file = join(folder, "list.csv");
    const written = await drawdown([...words(command), "--csv", file], {
      env: { DATABASE_URL: books.url },
    });
    expect(written).toEqual({ code: 0, stderr: "", stdout: "" });
    expect(await readFile(file, "utf8")).toBe(payload);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file named - is standard output", async () => {
  const line = words("payments --csv -");
  const { code, stdout, stderr } = await drawdown(line, { env: { DATABASE_URL: books.url } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^account_id,payment_id,.*\r\nacme,/);
});

test.each(AMONG)("$command has the fields of GET $route", async ({ route, command, under }) => {
  const answer = await answerOf(route);
  const shown = await show(command);
  const [item] = under === undefined ? [shown] : shown[under];
  const nouns = "items" in answer ? answer.items : [answer];
  expect(nouns).toContainEqual(pick(item, Object.keys(nouns[0])));
});

test.each([
  {
    route: `${ACCOUNT}/grants`,
    body: { credits: "1000000", source: "promotion", reference: "spring", lot_id: "spring" },
    command: "grant acme 1 --source promotion --reference spring --lot-id summer",
  },
  { route: `${ACCOUNT}/dashboard-tokens`, body: {}, command: "dashboard-link acme" },
  {
    route: "/v1/keys",
    body: { name: "a", scopes: ["read"] },
    command: "key create a --scope read",
  },
  {
    route: `${ACCOUNT}/top-ups`,
    body: { amount: "1000" },
    command: "top-up make acme 10 --key new",
  },
  {
    route: `${ACCOUNT}/payments/manual:order-17/refunds`,
    body: { amount: "100" },
    command: "payment refund acme manual:order-17 --amount 1 --key newer",
  },
])("$command has the fields of POST $route", async ({ route, body, command }) => {
  const api = await open();
  const headers = { "idempotency-key": "new" };
  const made = await api.ask("POST", route.replace("{account_id}", "acme"), { body, headers });
  expect(made.status).toBe(201);
  expect(Object.keys(await show(command))).toEqual(expect.arrayContaining(Object.keys(made.body)));
});

test("estimate shows what POST /v1/estimate answers", async () => {
  const occurred_at = new Date(NOW).toISOString();
  const usages = [
    ...[{ meter: "call", quantity: 3, dimensions: { model: "large" }, occurred_at }],
    ...[{ meter: "call", quantity: 1, dimensions: { model: "large" }, occurred_at }],
  ];
  const { body } = await (await open()).ask("POST", "/v1/estimate", {
    body: { account_id: "acme", usages },
  });
  const command = `estimate call=3 call=1 --dimension model=large --at ${occurred_at}`;
  expect(await show(`${command} --account acme`)).toEqual(body);
});

test("every noun that the API shows is compared, unless no command shows it", async () => {
  const { body } = await (await open()).ask("GET", "/openapi.json");
  const shown = Object.keys(body.paths).filter((path) => "get" in body.paths[path]);
  const compared = [...SAME, ...AMONG].map(({ route }) => route);
  expect(shown.filter((path) => ![...compared, ...API_ONLY].includes(path))).toEqual([]);
});

function pick(from: Record<string, unknown>, names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

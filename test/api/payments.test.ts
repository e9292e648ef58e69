import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** The list of payments across accounts: what each filter leaves, page by page, and who sees what. */
let books: Books;
let api: TestApi;

const DAY = 86_400_000;
const FIRST = Date.parse("2026-05-01T00:00:00Z");
const at = (day: number) => new Date(FIRST + day * DAY).toISOString();

/** Created one a day, the first two at the same instant; newest last. */
const PAYMENTS = [
  "acme p-1 top_up succeeded",
  "beta p-1 top_up failed",
  "acme fee:1:0 fee succeeded",
  "beta fee:1:0 fee retrying",
  "gone p-2 top_up pending",
  "acme p-3 top_up succeeded",
];

beforeAll(async () => {
  books = await openBooks();
  for (const [index, line] of PAYMENTS.entries()) {
    const [account, payment, kind, status] = line.split(" ");
    await books.database.query(
      `INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                            subscription, period, periods, plan_id, attempt, calls, reason,
                            gateway_payment, created_at, attempted_at, settled_at)
       SELECT $1, $2, $3, $4, 1000, 'USD',
              CASE $3 WHEN 'top_up' THEN 500 END, CASE $3 WHEN 'top_up' THEN 'usual' END,
              CASE $3 WHEN 'fee' THEN 1 END, CASE $3 WHEN 'fee' THEN 0 END,
              CASE $3 WHEN 'fee' THEN 1 END, CASE $3 WHEN 'fee' THEN 'hundred' END,
              1, 1, '', $5, $6::timestamptz, $6::timestamptz, $6::timestamptz`,
      [account, payment, kind, status, `pay_${index}`, at(Math.max(0, index - 1))],
    );
  }
  await books.database.query(
    `INSERT INTO refund (account_id, refund_id, payment_id, kind, status, amount, withdrawn, owed,
                         reason, asked_by, created_at)
     SELECT 'acme', refund_id, 'p-1', kind, status, amount, 0, 0, '', 'test', now()
     FROM (VALUES ('r-1', 'refund', 'posted', 300), ('r-2', 'refund', 'refused', 50),
                  ('d-1', 'chargeback', 'posted', 100))
       AS refund (refund_id, kind, status, amount)`,
  );
  for (const account of ["acme", "beta", "gone"]) await openAccount(books, account);
});

afterAll(async () => {
  await books?.close();
});

beforeEach(async () => {
  api = await openApi(books);
});

interface Item {
  readonly account_id: string;
  readonly payment_id: string;
  readonly kind: string;
  readonly status: string;
  readonly refunded: string;
}

const lineOf = ({ account_id, payment_id, kind, status }: Item) =>
  [account_id, payment_id, kind, status].join(" ");

async function list(query: string, headers: Record<string, string> = {}): Promise<string[]> {
  const { status, body } = await api.ask("GET", `/v1/payments?${query}`, { headers });
  expect(status).toBe(200);
  return body.items.map(lineOf);
}

const NEWEST_FIRST = [5, 4, 3, 2, 1, 0];
const those = (...indexes: readonly number[]) => indexes.map((index) => PAYMENTS[index]);

test.each([
  { query: "", expected: NEWEST_FIRST },
  { query: "account_id=acme", expected: [5, 2, 0] },
  { query: "account_id=nobody", expected: [] },
  { query: "kind=fee", expected: [3, 2] },
  { query: "status=succeeded", expected: [5, 2, 0] },
  { query: "kind=top_up&status=succeeded&account_id=acme", expected: [5, 0] },
  { query: `from=${at(1)}`, expected: [5, 4, 3, 2] },
  { query: `to=${at(1)}`, expected: [1, 0] },
  { query: `from=${at(1)}&to=${at(3)}`, expected: [3, 2] },
  { query: `from=${at(1)}&to=${at(1)}`, expected: [] },
  { query: "gateway_payment=pay_3", expected: [3] },
])("lists those of ?$query, newest first", async ({ query, expected }) => {
  expect(await list(query)).toEqual(those(...expected));
});

test("a payment has its account, the gateway's id, and what went back of it", async () => {
  const { body } = await api.ask("GET", "/v1/payments?gateway_payment=pay_0");
  expect(body.items).toEqual([
    {
      ...{ account_id: "acme", payment_id: "p-1", kind: "top_up", status: "succeeded" },
      ...{ amount: "1000", currency: "USD", credits: "500", automatic: false, attempt: 1 },
      ...{ subscription_number: null, plan_id: null, period: null, periods: null, reason: "" },
      ...{ created_at: at(0), requested_by: null, gateway_payment: "pay_0", refunded: "400" },
    },
  ]);
});

test("an account's own list says what went back, too, so that its sum is right", async () => {
  const { body } = await api.ask("GET", "/v1/accounts/acme/payments");
  expect(body.items.map((item: Item) => [item.payment_id, item.refunded])).toEqual([
    ["p-3", "0"],
    ["fee:1:0", "0"],
    ["p-1", "400"],
  ]);
  const { text } = await api.ask("GET", "/v1/accounts/acme/payments", {
    headers: { accept: "text/csv" },
  });
  const [names, ...rows] = text.trim().split("\r\n");
  expect(names).toBe(
    "payment_id,kind,status,amount,currency,credits,plan_id,reason,created_at,requested_by,refunded",
  );
  expect(rows.at(-1)).toMatch(/^p-1,.*,4\.00$/);
});

test("pages of every size have each payment once, also those of one instant", async () => {
  for (const limit of [1, 2, 5]) {
    const seen: string[] = [];
    let cursor: string | null = "";
    do {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await api.ask("GET", `/v1/payments?limit=${limit}${after}`);
      seen.push(...body.items.map(lineOf));
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(those(...NEWEST_FIRST));
  }
});

test.each([
  ["kind", "kind=refund"],
  ["status", "status=paid"],
  ["from", "from=yesterday"],
  ["to", "to=2026-05-01"],
  ["from", `from=${at(2)}&to=${at(1)}`],
  ["account_id", "account_id="],
  ["account_id", `account_id=${"a".repeat(257)}`],
  ["gateway_payment", `gateway_payment=${"p".repeat(256)}`],
  ["gateway_payment", "gateway_payment=%00"],
  ["limit", "limit=0"],
  ["limit", "limit=1001"],
  ["cursor", "cursor=x"],
  ["state", "state=failed"],
])("refuses a wrong %s", async (field, query) => {
  const { status, body } = await api.ask("GET", `/v1/payments?${query}`);
  expect([status, body.field]).toEqual([400, field]);
});

test("refuses the cursor of an account's payments", async () => {
  const ofAccount = await api.ask("GET", "/v1/accounts/acme/payments?limit=1");
  const cursor = ofAccount.body.next_cursor;
  const { status, body } = await api.ask("GET", `/v1/payments?cursor=${cursor}`);
  expect([status, body.field]).toEqual([400, "cursor"]);
});

describe("a key that is restricted to an account", () => {
  const body = { name: "narrow", scopes: ["read"], account_ids: ["beta"] };

  test("lists that one's payments only", async () => {
    const { key } = (await api.ask("POST", "/v1/keys", { body })).body;
    const headers = { authorization: `Bearer ${key}` };
    expect(await list("", headers)).toEqual(those(3, 1));
    expect(await list("account_id=beta&kind=fee", headers)).toEqual(those(3));
    for (const query of ["account_id=acme", "account_id=acme&gateway_payment=pay_0"]) {
      const { status } = await api.ask("GET", `/v1/payments?${query}`, { headers });
      expect(status).toBe(403);
    }
    expect(await list("gateway_payment=pay_0", headers)).toEqual([]);
    const csv = { ...headers, accept: "text/csv" };
    const { text } = await api.ask("GET", "/v1/payments", { headers: csv });
    expect(text.trim().split("\r\n").slice(1)).toEqual([
      expect.stringMatching(/^beta,fee:1:0,/),
      expect.stringMatching(/^beta,p-1,/),
    ]);
  });

  test("opens nothing without the scope", async () => {
    const headers = { authorization: `Bearer ${await makeKey(books, ["billing"])}` };
    expect((await api.ask("GET", "/v1/payments", { headers })).status).toBe(403);
  });
});

test("as a file, it has every payment that the filters leave, whatever the limit", async () => {
  const headers = { accept: "text/csv" };
  const { app } = api;
  const authorization = `Bearer ${await makeKey(books, ["read"])}`;
  const url = `/v1/payments?limit=1&kind=top_up&to=${at(10)}`;
  const { payload, headers: answered } = await app.inject({
    url,
    headers: { ...headers, authorization },
  });
  const [names, ...rows] = payload.trim().split("\r\n");
  expect(names).toBe(
    "account_id,payment_id,kind,status,amount,currency,credits,plan_id,reason,created_at,requested_by,gateway_payment,refunded",
  );
  expect(rows).toHaveLength(4);
  expect(rows.at(-1)).toBe(`acme,p-1,top_up,succeeded,10.00,USD,0.0005,,,${at(0)},,pay_0,4.00`);
  expect(answered["content-disposition"]).toBe('attachment; filename="payments-2026-05-11.csv"');
});

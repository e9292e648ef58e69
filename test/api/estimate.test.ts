/** What usage would cost, and that it then costs just that. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rateTable } from "../../shared/core/offer/rate-table.ts";
import { type Books, openAccount, openBooks, setPrice, setRates } from "../support/books/books.ts";
import { everyTable } from "../support/cli/every-table.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const PRICES = {
  dimensions: ["model"],
  rates: [
    { patterns: ["large"], credits: 1n, per: 2n },
    { patterns: ["small-*"], credits: 1n, per: 3n },
  ],
};

let books: Books;
let api: TestApi;

beforeAll(async () => {
  books = await openBooks();
  await setRates(books, [rateTable({ meter: "chat", validFrom: 0 }, PRICES)]);
  await setPrice(books, "call", 4n);
  await setPrice(books, "call", 9n, 1n, NOW + 60_000);
  for (const account of ["acme", "bolt"]) {
    await openAccount(books, account, { lots: [{ credits: 1_000n }], at: NOW });
  }
});

afterAll(() => books?.close());

/** Asks with the admin's key, or another secret. */
async function ask(body: unknown, secret: string | null = null, headers = {}) {
  const authorization = secret === null ? {} : { authorization: `Bearer ${secret}` };
  return api.ask("POST", "/v1/estimate", { body, headers: { ...headers, ...authorization } });
}

const chat = (model: string, quantity: number) => ({
  ...{ meter: "chat", quantity, dimensions: { model } },
});

describe("an estimate", () => {
  beforeAll(async () => {
    // 1/2 is carried.
    const of = { accountId: "acme", meter: "chat", quantity: 1n, occurredAt: NOW };
    await meterEvents(books, [{ ...of, eventId: "e", dimensions: { model: "large" } }]);
  });

  test("of one event shows its cost and the rate that prices it", async () => {
    api = await openApi(books, { now: () => NOW });
    const { status, body } = await ask(chat("small-1", 5));
    expect(status).toBe(200);
    expect(body).toEqual({
      account_id: null,
      lines: [
        {
          meter: "chat",
          quantity: "5",
          dimensions: { model: "small-1" },
          occurred_at: "2026-11-22T12:00:00.000Z",
          least: "1",
          most: "2",
          rate: {
            valid_from: "1970-01-01T00:00:00.000Z",
            when: { model: "small-*" },
            from_quantity: null,
            from: {},
            credits: "1",
            per: "3",
          },
          reason: null,
          detail: null,
        },
      ],
      least: "1",
      most: "2",
      unpriced: 0,
      balance: null,
      covered: null,
    });
  });

  test("for an account is exact, and says whether its balance covers it", async () => {
    api = await openApi(books, { now: () => NOW });
    const { body } = await ask({ account_id: "acme", ...chat("small-1", 5) });
    // 1/2 + 5/3 are 2 and a sixth.
    expect(body).toMatchObject({
      ...{ account_id: "acme", least: "2", most: "2", balance: "1000", covered: true },
      lines: [{ least: "2", most: "2" }],
    });
    const dear = await ask({ account_id: "acme", meter: "call", quantity: "251" });
    expect(dear.body).toMatchObject({ most: "1004", covered: false });
    const just = await ask({ account_id: "acme", meter: "call", quantity: "250" });
    expect(just.body).toMatchObject({ most: "1000", covered: true });
  });

  test("of several is priced in their order, at the prices that hold when each occurs", async () => {
    api = await openApi(books, { now: () => NOW });
    const usages = [
      ...[chat("large", 1), chat("large", 1), { meter: "call", quantity: "2" }],
      { meter: "call", quantity: 2, occurred_at: "2026-11-22T12:01:00Z" },
    ];
    const { body } = await ask({ account_id: "bolt", usages });
    const credits = body.lines.map(({ most }: { most: string }) => most);
    expect([credits, body.most]).toEqual([["0", "1", "8", "18"], "27"]);
  });

  test("of an event with several meters has a line for each, in the order in which they draw", async () => {
    api = await openApi(books, { now: () => NOW });
    const quantities = { none: 1, call: "3" };
    const { body } = await ask({
      account_id: "bolt",
      usages: [{ ...chat("large", 2), quantities }],
    });
    const lines = body.lines.map((line: Record<string, unknown>) => [
      ...[line["meter"], line["quantity"], line["most"]],
    ]);
    expect(lines).toEqual([
      ["chat", "2", "1"],
      ["call", "3", "12"],
      ["none", "1", null],
    ]);
    expect(body).toMatchObject({ most: "13", unpriced: 1 });
  });

  test("of what has no price says why, and prices the rest", async () => {
    api = await openApi(books, { now: () => NOW });
    const usages = [
      chat("tiny", 1),
      { meter: "none", quantity: 1 },
      { meter: "call", quantity: 1 },
    ];
    const { status, body } = await ask({ usages });
    expect(status).toBe(200);
    expect(body).toMatchObject({ least: "4", most: "4", unpriced: 2 });
    expect(body.lines).toMatchObject([
      {
        ...{ least: null, most: null, rate: null, reason: "no_price" },
        detail:
          "meter chat has no rate for model=tiny; the nearest are for model=large; model=small-*",
      },
      { reason: "unknown_meter", detail: "meter none has no price; set one" },
      { reason: null, least: "4" },
    ]);
  });

  test("without a price for all of it is not covered, or nobody knows", async () => {
    api = await openApi(books, { now: () => NOW });
    const of = async (quantity: string) => {
      const usages = [
        { meter: "none", quantity: 1 },
        { meter: "call", quantity },
      ];
      return (await ask({ account_id: "acme", usages })).body.covered;
    };
    expect(await of("250")).toBeNull();
    expect(await of("251")).toBe(false);
  });

  test("beyond 64 bits is answered", async () => {
    api = await openApi(books, { now: () => NOW });
    const quantity = String(2n ** 63n - 1n);
    const { body } = await ask({ account_id: "acme", meter: "call", quantity });
    expect(body).toMatchObject({ most: String(4n * (2n ** 63n - 1n)), covered: false });
  });

  test("stores and reserves nothing, whatever key it comes with", async () => {
    api = await openApi(books, { now: () => NOW });
    const body = { account_id: "acme", ...chat("large", 3) };
    await ask(body);
    const before = await everyTable(books);
    const first = await ask(body, null, { "idempotency-key": "k" });
    const again = await ask(body, null, { "idempotency-key": "k" });
    expect(again.headers["idempotency-replayed"]).toBeUndefined();
    expect(again.body).toEqual(first.body);
    expect(await everyTable(books)).toEqual(before);
  });
});

test("what was estimated of an account is what metering then draws", async () => {
  await openAccount(books, "proves", { lots: [{ credits: 1_000n }], at: NOW });
  api = await openApi(books, { now: () => NOW });
  for (let round = 0; round < 5; round += 1) {
    const used = Array.from({ length: 7 }, (_, at) => ({
      ...chat((at + round) % 3 === 0 ? "large" : `small-${at}`, (at * 7 + round * 3) % 11),
      occurred_at: new Date(NOW - at).toISOString(),
    }));
    const { body } = await ask({ account_id: "proves", usages: used });
    const events = used.map(({ occurred_at, quantity, ...event }, at) => ({
      ...{ ...event, eventId: `${round}-${at}`, accountId: "proves" },
      ...{ quantity: BigInt(quantity), occurredAt: Date.parse(occurred_at) },
    }));
    await meterEvents(books, events);
    const { rows } = await books.database.query<{ credits: bigint }>(
      `SELECT credits FROM usage_record WHERE account_id = 'proves' AND event_id LIKE '${round}-%'
       ORDER BY event_id`,
    );
    const drawn = rows.map(({ credits }) => String(credits));
    expect(body.lines.map(({ least, most }: Record<string, string>) => [least, most])).toEqual(
      drawn.map((credits) => [credits, credits]),
    );
  }
});

describe("an estimate is opened by", () => {
  const OF_ACME = { account_id: "acme", meter: "call", quantity: 1 };

  async function tokenOf(account: string, body = {}): Promise<string> {
    const made = await api.ask("POST", `/v1/accounts/${account}/dashboard-tokens`, { body });
    return made.body.token;
  }

  test("a key that reads, and no other", async () => {
    api = await openApi(books);
    expect((await ask(OF_ACME, await makeKey(books, ["read"]))).status).toBe(200);
    expect((await ask(OF_ACME, await makeKey(books, ["ingest", "billing"]))).status).toBe(403);
  });

  test("a dashboard token for its own account, also a read-only one", async () => {
    api = await openApi(books);
    for (const token of [await tokenOf("acme"), await tokenOf("acme", { read_only: true })]) {
      expect((await ask(OF_ACME, token)).status).toBe(200);
      const refused = await ask({ ...OF_ACME, account_id: "bolt" }, token);
      expect([refused.status, refused.body.type]).toEqual([403, "urn:drawdown:not_allowed"]);
      expect((await ask({ meter: "call", quantity: 1 }, token)).status).toBe(403);
    }
  });

  test("a key restricted to some accounts for those, and for none", async () => {
    api = await openApi(books);
    const body = { name: "narrow", scopes: ["read"], account_ids: ["acme"] };
    const { key } = (await api.ask("POST", "/v1/keys", { body })).body;
    expect((await ask(OF_ACME, key)).status).toBe(200);
    expect((await ask({ meter: "call", quantity: 1 }, key)).status).toBe(200);
    expect((await ask({ ...OF_ACME, account_id: "bolt" }, key)).status).toBe(403);
  });
});

test.each<[what: string, body: unknown, field: string, status?: number]>([
  ["nothing", {}, "meter"],
  ["no quantity", { meter: "call" }, "quantity"],
  ["a quantity below zero", { meter: "call", quantity: -1 }, "quantity"],
  ["a text below zero", { meter: "call", quantity: "-1" }, "quantity"],
  ["half a call", { meter: "call", quantity: 0.5 }, "quantity"],
  ["more than a double holds", { meter: "call", quantity: 2 ** 53 }, "quantity"],
  ["more than 64 bits hold", { meter: "call", quantity: "9".repeat(19) }, "quantity"],
  ["an empty meter", { meter: "", quantity: 1 }, "meter"],
  ["a dimension that is no text", { ...chat("large", 1), dimensions: { a: 1 } }, "dimensions.a"],
  [
    "65 dimensions",
    {
      ...chat("large", 1),
      dimensions: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`d${at}`, "v"])),
    },
    "dimensions",
  ],
  ["no instant", { meter: "call", quantity: 1, occurred_at: "today" }, "occurred_at"],
  ["one beside several", { meter: "call", usages: [chat("large", 1)] }, "usages"],
  ["no usage", { usages: [] }, "usages"],
  ["1,001 of them", { usages: Array.from({ length: 1_001 }, () => chat("large", 1)) }, "usages"],
  ["a bad one among them", { usages: [chat("large", 1), chat("large", -1)] }, "usages.1.quantity"],
  ["an identity", { usages: [{ ...chat("large", 1), event_id: "e" }] }, "usages.0.event_id"],
  ["a meter twice", { ...chat("large", 1), quantities: { chat: 1 } }, "quantities"],
  [
    "a further quantity below zero",
    { ...chat("large", 1), quantities: { call: -1 } },
    "quantities.call",
  ],
  [
    "16 further meters",
    {
      usages: [
        {
          ...chat("large", 1),
          quantities: Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`m${at}`, 1])),
        },
      ],
    },
    "usages.0.quantities",
  ],
  ["no account", { account_id: "nobody", ...chat("large", 1) }, "account_id", 404],
])("%s is refused by the name of its field", async (_, body, field, status = 400) => {
  api = await openApi(books);
  const refused = await ask(body);
  expect([refused.status, refused.body.field]).toEqual([status, field]);
});

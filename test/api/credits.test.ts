import { connect as openSocket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { usageBatches } from "../support/books/usage-batches.ts";
import { silent } from "../support/kafka/kafka.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** Grants, adjustments, and how the account, its lots and entries show them. */
let books: Books;
let api: TestApi;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
});

afterAll(async () => {
  await books?.close();
});

beforeEach(async () => {
  api = await openApi(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

const post = (url: string, body: unknown, headers = {}) => api.ask("POST", url, { body, headers });
const get = async (url: string) => (await api.ask("GET", url)).body;

test("an account is created once; with other settings it is a conflict", async () => {
  const body = { account_id: "new", time_zone: "Europe/Berlin", currency: "EUR" };
  expect((await post("/v1/accounts", body)).status).toBe(201);
  expect((await post("/v1/accounts", body)).status).toBe(200);
  const other = await post("/v1/accounts", { ...body, currency: "USD" });
  expect([other.status, other.body.field]).toEqual([409, "account_id"]);
  expect(await get("/v1/accounts/new")).toMatchObject({ time_zone: "Europe/Berlin", balance: "0" });
});

test("a grant is a lot with its source and expiry", async () => {
  await openAccount(books, "granted");
  const answer = await post("/v1/accounts/granted/grants", {
    credits: "2500000",
    source: "promotion",
    reference: "spring",
    lot_id: "spring-1",
    expires_at: null,
  });
  expect(answer.body).toEqual({
    account_id: "granted",
    lot_id: "spring-1",
    credits: "2500000",
    balance: "2500000",
  });
  const { items } = await get("/v1/accounts/granted/lots");
  expect(items).toMatchObject([
    { lot_id: "spring-1", source: "promotion", reference: "spring", expires_at: null },
  ]);
});

test("a lot gets no id that URLs resolve, since none could be asked for by it", async () => {
  await openAccount(books, "dots");
  const refused = await post("/v1/accounts/dots/grants", { credits: "1", lot_id: "." });
  expect([refused.status, refused.body]).toMatchObject([400, { field: "lot_id" }]);
});

test("the same lot id again grants nothing; with other credits it is a conflict", async () => {
  await openAccount(books, "twice");
  const grant = (credits: string) => post("/v1/accounts/twice/grants", { credits, lot_id: "gift" });
  expect((await grant("1000000")).status).toBe(201);
  expect((await grant("1000000")).status).toBe(200);
  expect((await grant("1000001")).status).toBe(409);
  expect((await get("/v1/accounts/twice/balance")).balance).toBe("1000000");
});

describe("an adjustment", () => {
  test("that takes credits draws the oldest, may leave a debt, and is made once per reference", async () => {
    await openAccount(books, "taken", { lots: [{ credits: 3n }] });
    const take = (credits: string, reference: string) =>
      post("/v1/accounts/taken/adjustments", { credits, reference });
    expect((await take("-2", "invoice 7")).body).toMatchObject({ balance: "1", lot_id: null });
    expect(await take("-2", "invoice 7")).toMatchObject({ status: 200, body: { balance: "1" } });
    expect((await take("-3", "invoice 7")).status).toBe(409);
    expect((await take("-4", "invoice 8")).body).toMatchObject({ balance: "-3" });
    const { items } = await get("/v1/accounts/taken/entries");
    expect(items.map((entry: Record<string, string>) => [entry["kind"], entry["credits"]])).toEqual(
      [
        ["adjustment", "-4"],
        ["adjustment", "-2"],
        ["grant", "3"],
      ],
    );
    expect((await get("/v1/accounts/taken/lots")).items).toMatchObject([
      { used: "3", remaining: "0", withdrawn: "0" },
    ]);
  });

  test.each([
    { first: "-5", balance: "5", lot: null },
    { first: "5", balance: "15", lot: expect.any(String) },
  ])(
    "of $first is made once per reference: a repeat is none, another amount a conflict",
    async ({ first, balance, lot }) => {
      const id = `once${first}`;
      await openAccount(books, id, { lots: [{ credits: 10n }] });
      const adjust = (credits: string, reference = "ticket 7", headers = {}) =>
        post(`/v1/accounts/${id}/adjustments`, { credits, reference }, headers);
      const made = await adjust(first);
      const told = { account_id: id, lot_id: lot, credits: first, balance };
      expect([made.status, made.body]).toEqual([201, told]);
      const again = await adjust(first, "ticket 7", { "Idempotency-Key": `another-${id}` });
      expect([again.status, again.body]).toEqual([200, made.body]);
      for (const other of ["-5", "5", "6"].filter((credits) => credits !== first)) {
        const refused = await adjust(other);
        expect([refused.status, refused.body.type]).toEqual([
          409,
          "urn:drawdown:adjustment_exists",
        ]);
        expect(refused.body.detail).toContain(`of ${first === "5" ? "" : "-"}0.000005 credits`);
      }
      expect(await get(`/v1/accounts/${id}/balance`)).toMatchObject({ balance });
      expect((await adjust(first, "ticket 8")).status).toBe(201);
    },
  );

  test("that gives credits is a lot without expiry", async () => {
    await openAccount(books, "given");
    const answer = await post("/v1/accounts/given/adjustments", {
      credits: "9",
      reference: "sorry",
    });
    expect(answer.body).toMatchObject({ credits: "9", balance: "9" });
    expect((await get("/v1/accounts/given/lots")).items).toMatchObject([
      { source: "adjustment", reference: "sorry", expires_at: null },
    ]);
  });

  test("that crosses the threshold publishes a low balance", async () => {
    await openAccount(books, "crossed", { lots: [{ credits: 5n }], threshold: 2n });
    await post("/v1/accounts/crossed/adjustments", { credits: "-3", reference: "fee" });
    expect(await get("/v1/accounts/crossed")).toMatchObject({ balance: "2", low_balance: true });
  });

  test.each([
    { credits: "0", status: 422 },
    { credits: "-9223372036854775807", status: 422 },
    { credits: "-9223372036854775808", status: 400 },
  ])("of $credits is refused", async ({ credits, status }) => {
    await openAccount(books, `refused-${credits}`, { lots: [{ credits: 5n }] });
    const url = `/v1/accounts/refused-${credits}/adjustments`;
    expect((await post(url, { credits: "-1", reference: "first" })).status).toBe(201);
    expect((await post(url, { credits, reference: "no" })).status).toBe(status);
    expect((await get(`/v1/accounts/refused-${credits}/balance`)).balance).toBe("4");
  });
});

test("lists are paged, each item appearing once", async () => {
  await openAccount(books, "paged");
  for (let lot = 1; lot <= 5; lot += 1) {
    await post("/v1/accounts/paged/grants", { credits: String(lot), lot_id: `lot-${lot}` });
  }
  for (const [list, field] of [
    ["lots", "lot_id"],
    ["entries", "sequence"],
  ] as const) {
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await get(`/v1/accounts/paged/${list}?limit=2${cursor}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((item: Record<string, string>) => item[field]));
      cursor = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
  }
});

describe("usage", () => {
  const at = Date.parse("2026-03-29T00:30:00Z");

  beforeAll(async () => {
    await openAccount(books, "used", {
      at: at - 1,
      timeZone: "Europe/Berlin",
      lots: [{ credits: 3n }, { credits: 100n }],
    });
    const usage = usageBatches(books, "used");
    const event = (eventId: string, quantity: bigint, hours: number, agent: string) => ({
      ...{ eventId, accountId: "used", quantity, occurredAt: at + hours * 3_600_000 },
      ...{ source: agent === "" ? "" : "app", dimensions: agent === "" ? {} : { agent } },
    });
    // Berlin's clocks skip from 2 to 3 at 01:00Z of this day.
    const batch = usage.next([
      event("a", 2n, 0, "ann"),
      event("b", 3n, 1, "bob"),
      event("c", 4n, 23, ""),
    ]);
    await debitUsage(books.database, ratesReader(), { ...batch, now: at + 30 * 3_600_000 });
  });

  const usage = async (query: string) => {
    const range = "from=2026-03-28T00:00:00Z&to=2026-03-31T00:00:00Z";
    const { buckets } = await get(`/v1/accounts/used/usage?${range}&${query}`);
    return buckets.map(
      (one: Record<string, string>) => `${one["at"]} ${one["key"]} ${one["credits"]}`,
    );
  };

  test("is summed by hour, day and month of the account's zone, across a clock change", async () => {
    expect(await usage("by=hour")).toEqual([
      "2026-03-29T00:00:00.000Z call 2",
      "2026-03-29T01:00:00.000Z call 3",
      "2026-03-29T23:00:00.000Z call 4",
    ]);
    expect(await usage("by=day")).toEqual([
      "2026-03-28T23:00:00.000Z call 5",
      "2026-03-29T22:00:00.000Z call 4",
    ]);
    expect(await usage("by=month")).toEqual(["2026-02-28T23:00:00.000Z call 9"]);
    expect(await usage("")).toEqual(["2026-03-28T00:00:00.000Z call 9"]);
  });

  test("is exact for a part of an hour", async () => {
    const sum = async (from: string, to: string) =>
      (await get(`/v1/accounts/used/usage?from=2026-03-29T${from}Z&to=2026-03-29T${to}Z`)).total;
    expect([await sum("00:00:00", "00:30:00"), await sum("00:30:00", "01:00:00")]).toEqual([
      "0",
      "2",
    ]);
    expect(await sum("00:30:00.001", "01:30:00")).toBe("0");
    expect(await sum("00:30:00.001", "01:30:00.001")).toBe("3");
  });

  test("quantities that together exceed 64 bits are summed exactly", async () => {
    await setPrice(books, "gift", 0n);
    await openAccount(books, "gifted");
    const gift = { accountId: "gifted", meter: "gift", quantity: MAX_BIGINT };
    await usageBatches(books, "gifted").debit([
      { eventId: "gift-1", ...gift },
      { eventId: "gift-2", ...gift },
    ]);
    const from = new Date(Date.now() - 86_400_000).toISOString();
    for (const how of ["", "&by=day", "&by=hour"]) {
      const { buckets } = await get(`/v1/accounts/gifted/usage?from=${from}${how}`);
      expect(buckets).toMatchObject([
        { key: "gift", quantity: `${2n * MAX_BIGINT}`, credits: "0" },
      ]);
    }
  });

  test("is grouped by source and by a dimension", async () => {
    expect(await usage("group=source")).toEqual([
      "2026-03-28T00:00:00.000Z  4",
      "2026-03-28T00:00:00.000Z app 5",
    ]);
    expect(await usage("group=dimension&dimension=agent&by=day")).toEqual([
      "2026-03-28T23:00:00.000Z ann 2",
      "2026-03-28T23:00:00.000Z bob 3",
      "2026-03-29T22:00:00.000Z  4",
    ]);
  });

  test("is listed newest first, page by page", async () => {
    const range = "from=2026-03-28T00:00:00Z&to=2026-03-31T00:00:00Z";
    const first = await get(`/v1/accounts/used/usage-records?${range}&limit=2`);
    const rest = await get(
      `/v1/accounts/used/usage-records?${range}&limit=2&cursor=${first.next_cursor}`,
    );
    const ids = [...first.items, ...rest.items].map(
      (item: Record<string, string>) => item["event_id"],
    );
    expect([ids, rest.next_cursor]).toEqual([["c", "b", "a"], null]);
  });

  test("is explained: what an event cost, and which lots paid; what a lot paid for", async () => {
    const explained = await get("/v1/accounts/used/events/b");
    expect(explained).toMatchObject({ credits: "3", owed: "0" });
    expect(explained.lots.map((lot: Record<string, string>) => lot["credits"])).toEqual(["1", "2"]);
    expect(await get("/v1/accounts/used/events/b?source=app")).toEqual(explained);
    expect(await get("/v1/accounts/used/events/b?source=")).toMatchObject({ status: 404 });
    const [{ lot_id }] = explained.lots;
    const { items } = await get(`/v1/accounts/used/lots/${lot_id}/usage`);
    expect(items.map((item: Record<string, string>) => item["event_id"])).toEqual(["a", "b"]);
  });
});

test("an allowance of a cost that exceeds 64 bits is answered: it is not enough", async () => {
  await setPrice(books, "dear", 3n);
  await openAccount(books, "modest", { lots: [{ credits: 5n }] });
  expect(
    await get(`/v1/accounts/modest/allowance?meter=dear&quantity=${MAX_BIGINT}`),
  ).toMatchObject({
    ...{ allowed: false, reason: "not_enough", cost: `${3n * MAX_BIGINT}` },
  });
});

test("an allowance shows whether something can be afforded, and why", async () => {
  await openAccount(books, "asks", { lots: [{ credits: 10n }] });
  const may = async (query: string) => {
    const { allowed, reason, cost } = await get(`/v1/accounts/asks/allowance?${query}`);
    return [allowed, reason, cost];
  };
  expect(await may("credits=10")).toEqual([true, "enough", "10"]);
  expect(await may("meter=call&quantity=10")).toEqual([true, "enough", "10"]);
  expect(await may("credits=11")).toEqual([false, "not_enough", "11"]);
  await api.ask("GET", "/v1/accounts/asks");
  await books.database.query(
    `INSERT INTO payment_method (account_id, customer, method, set_by, set_at)
     VALUES ('asks', 'cus', 'pm', 'test', now())`,
  );
  expect(await may("credits=11")).toEqual([true, "will_be_topped_up", "11"]);
});

describe("an export", () => {
  const CSV = { accept: "text/csv" };
  const RANGE = "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z";
  const EVENTS = 3_300;

  beforeAll(async () => {
    const at = Date.parse("2026-05-01T00:00:00Z");
    await openAccount(books, "exports", { at, lots: [{ credits: 1_000_000n }] });
    const events = Array.from({ length: EVENTS }, (_, i) => ({
      ...{ eventId: `e-${i}`, accountId: "exports", quantity: BigInt(1 + (i % 7)) },
      occurredAt: at + i * 600_000,
      source: i % 2 === 0 ? "=app" : "",
    }));
    const usage = usageBatches(books, "exports");
    for (let first = 0; first < EVENTS; first += 1_100) {
      const batch = usage.next(events.slice(first, first + 1_100));
      await debitUsage(books.database, ratesReader(), { ...batch, now: at + 30 * 86_400_000 });
    }
  });

  const rowsOf = (body: string) => {
    const [names = "", ...rows] = body.trimEnd().split("\r\n");
    return { names, rows: rows.map((row) => row.split(",")) };
  };
  const exported = async (path: string, access = {}) => {
    const headers = { ...CSV, ...access };
    const answer = await api.ask("GET", `/v1/accounts/exports/${path}`, { headers });
    expect([answer.status, answer.headers["content-type"]]).toEqual([
      200,
      "text/csv; charset=utf-8; header=present",
    ]);
    expect(answer.headers["cache-control"]).toBe("no-store");
    return { ...rowsOf(answer.text), named: answer.headers["content-disposition"] };
  };
  const micro = (cell = "") => BigInt(Math.round(Number(cell) * 1_000_000));

  test("has the whole range, in the order of the list, with the sum of the summary", async () => {
    const { names, rows, named } = await exported(`usage-records?${RANGE}&limit=50`);
    expect(named).toBe('attachment; filename="exports-usage-2026-05-01-to-2026-06-01.csv"');
    expect(names).toBe(
      "occurred_at,event_id,meter,quantity,credits,source,dimensions,metered_at,hold_id",
    );
    expect(rows.map(([, id]) => id)).toEqual(
      Array.from({ length: EVENTS }, (_, i) => `e-${EVENTS - 1 - i}`),
    );
    expect(rows[1]?.[5]).toBe("'=app");
    const { total } = await get(`/v1/accounts/exports/usage?${RANGE}`);
    const sum = (all: readonly string[][], at: number) =>
      String(all.reduce((credits, row) => credits + micro(row[at]), 0n));
    expect(sum(rows, 4)).toBe(total);
    const sums = await exported(`usage?${RANGE}&by=day&group=source`);
    expect(sums.names).toBe("from,kind,key,credits,events,quantity");
    expect(sum(sums.rows, 3)).toBe(total);
  });

  test("of a lot, of lots, entries and payments has all of each", async () => {
    const ids = (await exported("lots/exports-lot-1/usage")).rows.map(([, id]) => id);
    expect(ids).toEqual(Array.from({ length: EVENTS }, (_, i) => `e-${i}`));
    expect((await exported("lots")).rows.map(([id]) => id)).toEqual(["exports-lot-1"]);
    expect((await exported("entries")).rows.map(([, , kind]) => kind)).toEqual(["grant"]);
    expect((await exported("entries?to=2026-05-01T00:00:00Z")).rows).toEqual([]);
    await books.database.query(
      `INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                            attempt, calls, reason, created_at, attempted_at,
                            requested_by)
       SELECT 'exports', 'p-' || n, 'top_up', 'succeeded', 1000, 'USD', 1000000, 'never', 1, 0, '',
              to_timestamp(n / 2), to_timestamp(n / 2), 'key:crm'
       FROM generate_series(1, 2100) AS n`,
    );
    const { rows } = await exported("payments");
    expect(new Set(rows.map(([id]) => id)).size).toBe(2_100);
    expect(rows[0]?.slice(-2)).toEqual(["key:crm", "0.00"]);
    const { body } = await post("/v1/accounts/exports/dashboard-tokens", {});
    const authorization = `Bearer ${body.token}`;
    const ofCustomer = await exported("payments", { authorization });
    expect(ofCustomer.rows[0]?.slice(-2)).toEqual(["seller", "0.00"]);
    await books.database.query("DELETE FROM payment WHERE account_id = 'exports'");
  });

  test("is refused like the list", async () => {
    const ask = (url: string) => api.ask("GET", `/v1/accounts/${url}`, { headers: CSV });
    expect(await ask("nobody/usage-records")).toMatchObject({ status: 404 });
    expect(await ask("exports/lots/none/usage")).toMatchObject({ status: 404 });
    expect(await ask("exports/usage?group=dimension")).toMatchObject({
      status: 400,
      body: { field: "dimension" },
    });
  });

  test("that breaks off never looks whole; an account runs two, and HTTP/1.0 none", async () => {
    let pages = 0;
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    const connect = () => (pages++ % 2 === 0 ? books.database.connect() : lost.promise);
    const heavyDatabase = Object.assign(Object.create(books.database), { connect });
    const { app } = await openApi(books, { heavyDatabase, logger: silent });
    const origin = await app.listen({ port: 0, host: "127.0.0.1" });
    const headers = { ...CSV, authorization: `Bearer ${await makeKey(books, ["read"])}` };
    const open = () => fetch(`${origin}/v1/accounts/exports/usage-records?${RANGE}`, { headers });
    const running = [await open()];
    // It reads its second page.
    await expect.poll(() => pages).toBe(2);
    running.push(await open());
    expect(running.map(({ status }) => status)).toEqual([200, 200]);
    expect((await open()).status).toBe(429);
    lost.reject(new Error("lost"));
    for (const answer of running) await expect(answer.text()).rejects.toThrow("terminated");

    const old = openSocket(Number(new URL(origin).port), "127.0.0.1");
    const named = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    old.write(`GET /v1/accounts/exports/lots HTTP/1.0\r\n${named.join("")}\r\n`);
    expect(await text(old)).toMatch(/^HTTP\/1\.[01] 426 /);
  });

  test("is cut off within seconds of its key's revocation, also while it waits for a page", async () => {
    let pages = 0;
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    const connect = () => (pages++ === 0 ? books.database.connect() : lost.promise);
    const heavyDatabase = Object.assign(Object.create(books.database), { connect });
    const { app } = await openApi(books, { heavyDatabase, logger: silent });
    const origin = await app.listen({ port: 0, host: "127.0.0.1" });
    const key = await makeKey(books, ["read"]);
    const headers = { ...CSV, authorization: `Bearer ${key}` };
    const url = `${origin}/v1/accounts/exports/usage-records?${RANGE}`;
    const answer = await fetch(url, { headers });
    await expect.poll(() => pages).toBe(2);
    const { status } = await api.ask("DELETE", `/v1/keys/${key.split("_")[1]}`);
    const revokedAt = Date.now();
    await expect(answer.text()).rejects.toThrow("terminated");
    expect([status, Date.now() - revokedAt < 5_000]).toEqual([204, true]);
    lost.reject(new Error("lost"));
  });
});

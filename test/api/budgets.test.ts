import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** Budgets over HTTP: set for a value or for every one, listed by how full they are, deleted. */
const DAY_MS = 24 * 60 * 60_000;

let books: Books;
let api: TestApi;
let now: number;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 3n);
});

afterAll(() => books?.close());

beforeEach(async () => {
  now = Date.now();
  api = await openApi(books, { now: () => now });
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

const put = (path: string, credits: string, headers = {}) =>
  api.ask("PUT", `/v1/accounts/${path}`, { body: { credits }, headers });
const get = (path: string, headers = {}) => api.ask("GET", `/v1/accounts/${path}`, { headers });
const at = (ms: number) => new Date(ms).toISOString();

const use = (accountId: string, eventId: string, dimensions: Record<string, string>) =>
  meterEvents(books, [
    { eventId, accountId, meter: "call", quantity: 1n, dimensions, occurredAt: now },
  ]);

test("a budget is set, shown with what is spent, set again and deleted", async () => {
  await openAccount(books, "acme", { lots: [{ credits: 100n }] });
  await use("acme", "first", { team: "a/b" });
  const place = `acme/budgets/team/day/values/${encodeURIComponent("a/b")}`;
  const made = await put(place, "10");
  const start = Math.floor(now / DAY_MS) * DAY_MS;
  const shown = {
    ...{ dimension: "team", value: "a/b", window: "day", credits: "10", is_default: false },
    ...{ spent: "3", held: "0", left: "7", starts_at: at(start), ends_at: at(start + DAY_MS) },
    ...{ counted_since: at(start), set_by: expect.stringMatching(/^key:/), set_at: at(now) },
  };
  expect([made.status, made.body]).toEqual([201, shown]);
  await use("acme", "second", { team: "a/b" });
  const less = await put(place, "2");
  expect([less.status, less.body]).toEqual([
    200,
    { ...shown, credits: "2", spent: "6", left: "-4" },
  ]);
  expect((await get("acme/budgets")).body).toEqual({ items: [less.body], next_cursor: null });
  expect((await api.ask("DELETE", `/v1/accounts/${place}`)).status).toBe(204);
  expect((await api.ask("DELETE", `/v1/accounts/${place}`)).body.type).toBe(
    "urn:drawdown:unknown_budget",
  );
  expect((await get("acme/budgets")).body.items).toEqual([]);
});

test("the budget of every value is listed with those who spend of it, page by page", async () => {
  await openAccount(books, "paged");
  const usual = await put("paged/budgets/user/all", "10");
  expect(usual.body).toMatchObject({ value: null, is_default: true, spent: "0", ends_at: null });
  for (const user of ["u1", "u2", "u2", "u3"]) {
    await use("paged", `${user}/${Math.random()}`, { user });
  }
  await put("paged/budgets/user/all/values/u3", "3");
  const seen: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const next = cursor === "" ? "" : `&cursor=${cursor}`;
    const { body } = await get(`paged/budgets?limit=2${next}`);
    for (const { value, is_default, spent } of body.items) seen.push([value, is_default, spent]);
    cursor = body.next_cursor;
  }
  expect(seen).toEqual([
    ["u3", false, "3"],
    ["u2", true, "6"],
    ["u1", true, "3"],
    [null, true, "0"],
  ]);
});

test("a token sees its account's budgets and not who set them, and sets none", async () => {
  await openAccount(books, "seen");
  await put("seen/budgets/team/month", "10");
  const { body } = await api.ask("POST", "/v1/accounts/seen/dashboard-tokens", { body: {} });
  const headers = { authorization: `Bearer ${body.token}` };
  const [listed] = (await get("seen/budgets", headers)).body.items;
  expect(listed).toMatchObject({ credits: "10", set_by: "seller" });
  expect((await put("seen/budgets/team/month", "11", headers)).status).toBe(403);
  const reader = { authorization: `Bearer ${await makeKey(books, ["read"])}` };
  expect((await put("seen/budgets/team/month", "11", reader)).status).toBe(403);
});

test("holds and allowances that name a value are given what its budget leaves", async () => {
  await openAccount(books, "held", { lots: [{ credits: 1_000n }] });
  const dimensions = { team: "a" };
  const hold = (hold_id: string, credits: string, more = {}) =>
    api.ask("POST", "/v1/accounts/held/holds", { body: { hold_id, credits, dimensions, ...more } });
  const allowance = async (credits: string) => {
    const query = `credits=${credits}&dimensions=${encodeURIComponent(JSON.stringify(dimensions))}`;
    return (await get(`held/allowance?${query}`)).body;
  };
  await put("held/budgets/team/day", "20");
  await use("held", "before", dimensions);
  expect((await hold("first", "10")).status).toBe(201);
  const endsAt = at((Math.floor(now / DAY_MS) + 1) * DAY_MS);
  const refused = await hold("second", "8");
  expect([refused.status, refused.body]).toMatchObject([
    402,
    {
      type: "urn:drawdown:budget_used_up",
      detail: `the day's budget of team a, which turns at ${endsAt}, has 0.000007 credits left of the 0.000008 that are asked for`,
      budget: { dimension: "team", value: "a", window: "day", left: "7", ends_at: endsAt },
    },
  ]);
  expect((await hold("part", "8", { partial: true })).body).toMatchObject({ credits: "7" });
  expect((await hold("other", "8", { dimensions: { team: "b" } })).status).toBe(201);
  const shown = { dimension: "team", value: "a", window: "day", credits: "20", spent: "3" };
  expect(await allowance("1")).toMatchObject({
    ...{ allowed: false, reason: "budget_used_up" },
    budget: { ...shown, held: "17", left: "0", ends_at: endsAt },
  });
  await api.ask("POST", "/v1/accounts/held/holds/part/release");
  expect(await allowance("7")).toMatchObject({ allowed: true, budget: { held: "10", left: "7" } });
  expect(await allowance("8")).toMatchObject({ allowed: false, reason: "budget_used_up" });
  const plain = (await get("held/allowance?credits=900")).body;
  expect(plain).toMatchObject({ allowed: true, budget: null });
  expect((await get("held/budgets")).body.items).toMatchObject([
    { value: "a", spent: "3", held: "10", left: "7" },
    { value: "b", spent: "0", held: "8", left: "12" },
    { value: null, spent: "0", held: "0", left: "20" },
  ]);
  now += DAY_MS;
  expect((await hold("tomorrow", "20")).status).toBe(201);
});

test("of what the account has and what a budget leaves, less is what counts", async () => {
  await openAccount(books, "poor", { lots: [{ credits: 10n }] });
  await put("poor/budgets/team/all", "11");
  const body = { hold_id: "run", credits: "12", dimensions: { team: "a" } };
  const refused = await api.ask("POST", "/v1/accounts/poor/holds", { body });
  expect(refused.body).toMatchObject({ type: "urn:drawdown:insufficient_credits" });
  const dimensions = encodeURIComponent('{"team":"a"}');
  expect((await get(`poor/allowance?credits=12&dimensions=${dimensions}`)).body).toMatchObject({
    ...{ allowed: false, reason: "not_enough", budget: { left: "11", ends_at: null } },
  });
});

test.each([
  ["team/day", { credits: "-1" }, "credits"],
  ["team/day", { credits: "9223372036854775808" }, "credits"],
  ["team/day", { credits: 1 }, "credits"],
  ["team/day", {}, "credits"],
  ["team/hour", { credits: "1" }, "window"],
  [`${"t".repeat(257)}/day`, { credits: "1" }, "dimension"],
  [`team/day/values/${"v".repeat(1_025)}`, { credits: "1" }, "value"],
])("bad input is refused by its name: %s %j", async (place, body, field) => {
  const refused = await api.ask("PUT", `/v1/accounts/acme/budgets/${place}`, { body });
  expect([refused.status, refused.body.field]).toEqual([400, field]);
});

test("the largest amount is a budget, too", async () => {
  const set = await put("acme/budgets/team/week", "9223372036854775807");
  expect(set.body).toMatchObject({ credits: "9223372036854775807", window: "week" });
});

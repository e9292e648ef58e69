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
  meterEvents(books, [{ eventId, accountId, meter: "call", quantity: 1n, dimensions }]);

test("a budget is set, shown with what is spent, set again and deleted", async () => {
  await openAccount(books, "acme", { lots: [{ credits: 100n }] });
  await use("acme", "first", { team: "a/b" });
  const place = `acme/budgets/team/day/values/${encodeURIComponent("a/b")}`;
  const made = await put(place, "10");
  const start = Math.floor(now / DAY_MS) * DAY_MS;
  const shown = {
    ...{ dimension: "team", value: "a/b", window: "day", credits: "10", is_default: false },
    ...{ spent: "3", left: "7", starts_at: at(start), ends_at: at(start + DAY_MS) },
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

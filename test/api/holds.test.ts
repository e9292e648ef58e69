import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { tieredPrice } from "../../shared/core/offer/month-price.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import {
  type Books,
  openAccount,
  openAccountWithCard,
  openBooks,
  setPrice,
  setRates,
} from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { usageBatches } from "../support/books/usage-batches.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** Holds over HTTP: what is asked for, what is answered, and how the account shows it. */
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

const post = (path: string, body?: unknown, headers = {}) =>
  api.ask("POST", `/v1/accounts/${path}`, { body, headers });
const get = (path: string) => api.ask("GET", `/v1/accounts/${path}`);
const open = (id: string, credits: bigint) => openAccount(books, id, { lots: [{ credits }] });
const at = (ms: number) => new Date(ms).toISOString();

test("a hold is given, shown beside the balance, and asked for again the same", async () => {
  await open("acme", 100n);
  const body = { hold_id: "run-1", credits: "60" };
  const made = await post("acme/holds", body);
  expect([made.status, made.body]).toEqual([
    201,
    {
      ...{ account_id: "acme", hold_id: "run-1", status: "open", asked: "60", credits: "60" },
      ...{ used: "0", captured: null, held: "60", requested_by: expect.stringMatching(/^key:/) },
      ...{ created_at: at(now), expires_at: at(now + 600_000), ended_at: null },
    },
  ]);
  now += 1_000;
  const again = await post("acme/holds", { ...body, ttl_seconds: 600, partial: false });
  expect([again.status, again.body]).toEqual([201, made.body]);
  expect((await get("acme/holds/run-1")).body).toEqual(made.body);
  expect((await get("acme/holds")).body).toEqual({ items: [made.body], next_cursor: null });
  const shown = { balance: "100", held: "60", available: "40" };
  expect((await get("acme/balance")).body).toMatchObject({ ...shown, position: "0" });
  expect((await get("acme")).body).toMatchObject(shown);
  expect((await api.ask("GET", "/v1/accounts?limit=100")).body.items).toContainEqual(
    expect.objectContaining(shown),
  );
  expect((await get("acme/allowance?credits=41")).body).toMatchObject({
    ...{ allowed: false, reason: "not_enough", ...shown },
  });
  expect((await get("acme/allowance?credits=40")).body).toMatchObject({ allowed: true });
});

test("however far usage goes below what is held, the account is shown, and refuses what is asked for", async () => {
  await open("deep", 1n);
  await api.ask("PATCH", "/v1/accounts/deep", { body: { overdraft: "unlimited" } });
  const most = "9223372036854775807";
  expect((await post("deep/holds", { hold_id: "most", credits: most })).status).toBe(201);
  const events = [{ eventId: "beyond", accountId: "deep", meter: "call", quantity: 100n }];
  await usageBatches(books, "deep").debit(events);
  const shown = { balance: "-299", held: most, available: "-9223372036854776106" };
  for (const path of ["deep", "deep/balance", "deep/allowance?credits=1"]) {
    expect((await get(path)).body, path).toMatchObject(shown);
  }
  const { items } = (await api.ask("GET", "/v1/accounts?limit=1000")).body;
  expect(items).toContainEqual(expect.objectContaining(shown));
  expect(await post("deep/holds", { hold_id: "more", credits: "1" })).toMatchObject({
    ...{ status: 402, body: { asked: "1", available: shown.available } },
  });
  const set = await api.ask("PATCH", "/v1/accounts/deep", { body: { overdraft: "0" } });
  expect([set.status, set.body]).toEqual([200, expect.objectContaining(shown)]);
  expect((await post("deep/holds/most/release")).status).toBe(200);
});

test("a quantity that costs more than fits into 64 bits is refused, and a part of it is not given", async () => {
  await open("vast", 100n);
  const asked = { hold_id: "vast", meter: "call", quantity: "9223372036854775807" };
  for (const partial of [false, true]) {
    const { status, body } = await post("vast/holds", { ...asked, partial });
    expect([status, body.type]).toEqual([422, "urn:drawdown:overflow"]);
  }
  expect((await get("vast/holds")).body.items).toEqual([]);
});

test("a quantity is held at what it costs at most, whatever is carried to it", async () => {
  await setPrice(books, "half", 5n, 2n);
  await open("halves", 100n);
  const hold = await post("halves/holds", { hold_id: "one", meter: "half", quantity: 1 });
  expect(hold.body).toMatchObject({ credits: "3" });
  const used = { accountId: "halves", meter: "half", quantity: 1n };
  await usageBatches(books, "halves").debit([
    { ...used, eventId: "before" },
    { ...used, eventId: "of-the-hold", holdId: "one" },
  ]);
  expect((await get("halves/holds/one")).body).toMatchObject({ used: "3", held: "0" });
});

/** The members that the document gives the refusal of a hold. */
async function documentedMembers(status: number): Promise<string[]> {
  const { body } = await api.ask("GET", "/openapi.json");
  const { responses } = body.paths["/v1/accounts/{account_id}/holds"].post;
  const { schema } = responses[status].content["application/problem+json"];
  const name = schema.$ref.split("/").at(-1);
  return Object.keys(body.components.schemas[name].properties);
}

test("more than is available is refused with 402, and nothing is set aside", async () => {
  await open("short", 100n);
  const refused = await post("short/holds", { hold_id: "run-1", credits: "101" });
  expect([refused.status, refused.body]).toEqual([
    402,
    {
      ...{ type: "urn:drawdown:insufficient_credits", title: "Payment Required", status: 402 },
      ...{
        field: "credits",
        detail: "the hold asks for 0.000101 credits, and 0.0001 are available",
        ...{ asked: "101", available: "100" },
        shortage: { why: "top_up_stopped", top_up_at: null, next_credits_at: null },
      },
    },
  ]);
  expect(await documentedMembers(402)).toEqual(expect.arrayContaining(Object.keys(refused.body)));
  expect((await get("short/balance")).body).toMatchObject({ held: "0", available: "100" });
  const part = await post("short/holds", { hold_id: "run-1", credits: "101", partial: true });
  expect([part.status, part.body]).toMatchObject([201, { asked: "101", credits: "100" }]);
});

test("where tiers or packages of the month price it, a quantity is held at the dearest that the month may still come to", async () => {
  // Next month, so that neither it nor the hold ends meanwhile.
  const [year, month] = [new Date().getUTCFullYear(), new Date().getUTCMonth() + 1];
  now = Date.UTC(year, month, 10);
  const tiers = [
    { credits: 1n, per: 1n, upTo: 100n },
    { credits: 10n, per: 1n, upTo: 200n },
    { credits: 2n, per: 1n, upTo: null },
  ];
  await setRates(books, [
    { meter: "tiered", validFrom: 0, ...tieredPrice(tiers) },
    { meter: "packed", validFrom: 0, credits: 7n, per: 1_000n, roundUp: "each_month" },
  ]);
  await open("tiered", 500n);
  const used = (meter: string, quantity: bigint) => {
    return {
      eventId: `${meter} ${quantity}`,
      accountId: "tiered",
      meter,
      quantity,
      occurredAt: now,
    };
  };
  const batches = usageBatches(books, "tiered");
  const debit = (events: readonly ReturnType<typeof used>[]) =>
    debitUsage(books.database, ratesReader(), { ...batches.next(events), now });
  await debit([used("tiered", 99n), used("packed", 999n)]);
  const ask = async (hold_id: string, body: object) =>
    (await post("tiered/holds", { hold_id, ...body })).body.asked;
  // The usage of another run may come first, so that none of these units is at 1.
  expect(await ask("a", { meter: "tiered", quantity: 2 })).toBe("20");
  expect(await ask("b", { meter: "packed", quantity: 1 })).toBe("7");
  await debit([used("tiered", 110n)]);
  expect(await ask("c", { meter: "tiered", quantity: 2 })).toBe("4");
  now = Date.UTC(year, month + 1, 1) - 300_000;
  expect(await ask("d", { meter: "tiered", quantity: 2, ttl_seconds: 60 })).toBe("4");
  expect(await ask("e", { meter: "tiered", quantity: 2, ttl_seconds: 600 })).toBe("20");
});

test("a quantity of a meter is held at what it costs; asked again after a new price it is the same", async () => {
  await open("metered", 100n);
  const body = { hold_id: "run-1", meter: "call", quantity: 10, dimensions: { model: "a" } };
  const made = await post("metered/holds", body);
  expect(made.body).toMatchObject({ credits: "30" });
  await setPrice(books, "call", 4n, 1n, now - 1_000);
  const dearer = await openApi(books, { now: () => now });
  const asked = { body: { ...body, quantity: "10" } };
  const again = await dearer.ask("POST", "/v1/accounts/metered/holds", asked);
  expect([again.status, again.body]).toEqual([201, made.body]);
});

test("the balance's version and ETag change with each hold, and the version only grows", async () => {
  await open("tagged", 100n);
  const before = await get("tagged/balance");
  await post("tagged/holds", { hold_id: "a", credits: "1" });
  const headers = { "if-none-match": String(before.headers["etag"]) };
  const after = await api.ask("GET", "/v1/accounts/tagged/balance", { headers });
  expect(after.status).toBe(200);
  expect(Number(after.body.version)).toBe(Number(before.body.version) + 1);
});

test("a hold is extended, captured and released; the same again changes nothing", async () => {
  await open("changed", 100n);
  for (const id of ["final", "gone"]) await post("changed/holds", { hold_id: id, credits: "40" });
  now += 60_000;
  const body = { ttl_seconds: 86_400 };
  const extended = await api.ask("PATCH", "/v1/accounts/changed/holds/final", { body });
  expect(extended.body).toMatchObject({ expires_at: at(now + 86_400_000) });
  for (let time = 0; time < 2; time += 1) {
    expect((await post("changed/holds/final/capture", { credits: "25" })).body).toMatchObject({
      ...{ status: "captured", captured: "25", held: "25", ended_at: null },
    });
    expect((await post("changed/holds/gone/release")).body).toMatchObject({
      ...{ status: "released", held: "0", ended_at: at(now) },
    });
  }
  expect((await get("changed/balance")).body).toMatchObject({ held: "25", available: "75" });
  expect((await get("changed/holds")).body.items).toMatchObject([{ hold_id: "final" }]);
  expect((await get("changed/holds/gone")).body).toMatchObject({ status: "released" });
});

test("open holds are listed in pages, the one that ends first first", async () => {
  await open("listed", 100n);
  for (const [id, ttl_seconds] of [
    ["c", 30],
    ["a", 10],
    ["b", 20],
    ["d", 20],
  ] as const) {
    await post("listed/holds", { hold_id: id, credits: "1", ttl_seconds });
  }
  const first = (await get("listed/holds?limit=3")).body;
  expect(first.items.map((one: { hold_id: string }) => one.hold_id)).toEqual(["a", "b", "d"]);
  const rest = (await get(`listed/holds?limit=3&cursor=${first.next_cursor}`)).body;
  expect([rest.items.length, rest.items[0]?.hold_id, rest.next_cursor]).toEqual([1, "c", null]);
});

describe("what cannot be", () => {
  const made = { hold_id: "bad", credits: "1" };
  test.each<[string, object, number, string, string]>([
    ["a negative amount", { ...made, credits: "-1" }, 422, "no_credits", "credits"],
    ["nothing", { ...made, credits: "0" }, 422, "no_credits", "credits"],
    [
      "usage that costs nothing",
      { hold_id: "bad", meter: "call", quantity: 0 },
      422,
      "no_credits",
      "credits",
    ],
    [
      "a huge amount",
      { ...made, credits: "9223372036854775807" },
      402,
      "insufficient_credits",
      "credits",
    ],
    ["more than 64 bits", { ...made, credits: "9223372036854775808" }, 400, "invalid", "credits"],
    ["a fraction", { ...made, credits: "1.5" }, 400, "invalid", "credits"],
    ["a number", { ...made, credits: 1 }, 400, "invalid", "credits"],
    ["neither credits nor a meter", { hold_id: "bad" }, 400, "invalid", "credits"],
    ["both", { ...made, meter: "call", quantity: 1 }, 400, "invalid", "credits"],
    ["a meter without a quantity", { hold_id: "bad", meter: "call" }, 400, "invalid", "credits"],
    [
      "an unknown meter",
      { hold_id: "bad", meter: "none", quantity: 1 },
      422,
      "unknown_meter",
      "meter",
    ],
    ["no id", { credits: "1" }, 400, "invalid", "hold_id"],
    ["an empty id", { ...made, hold_id: "" }, 400, "invalid", "hold_id"],
    ["an id that URLs resolve", { ...made, hold_id: ".." }, 400, "invalid", "hold_id"],
    ["a long id", { ...made, hold_id: "x".repeat(257) }, 400, "invalid", "hold_id"],
    ["no time", { ...made, ttl_seconds: 0 }, 400, "invalid", "ttl_seconds"],
    ["a negative time", { ...made, ttl_seconds: -1 }, 400, "invalid", "ttl_seconds"],
    ["a year", { ...made, ttl_seconds: 31_536_000 }, 400, "invalid", "ttl_seconds"],
    ["half a second", { ...made, ttl_seconds: 0.5 }, 400, "invalid", "ttl_seconds"],
    ["an unknown field", { ...made, ttl: 60 }, 400, "invalid", "ttl"],
  ])("a hold of %s", async (_, body, status, code, field) => {
    if ((await get("refused")).status === 404) await open("refused", 100n);
    const refused = await post("refused/holds", body);
    expect([refused.status, refused.body]).toMatchObject([
      status,
      { type: `urn:drawdown:${code}`, field },
    ]);
    expect((await get("refused/balance")).body).toMatchObject({ held: "0" });
  });

  test("a capture of more than is held, or below zero, and a year's extension", async () => {
    await open("capped", 100n);
    await post("capped/holds", { hold_id: "run", credits: "10" });
    const more = await post("capped/holds/run/capture", { credits: "11" });
    expect([more.status, more.body.type]).toEqual([422, "urn:drawdown:exceeds_hold"]);
    expect((await post("capped/holds/run/capture", { credits: "-1" })).status).toBe(400);
    const body = { ttl_seconds: 31_536_000 };
    expect((await api.ask("PATCH", "/v1/accounts/capped/holds/run", { body })).status).toBe(400);
    expect((await get("capped/holds/run")).body).toMatchObject({ status: "open", held: "10" });
  });

  test("another account's hold is unknown, and stays", async () => {
    await open("owner", 100n);
    await open("stranger", 100n);
    await post("owner/holds", { hold_id: "run", credits: "10" });
    for (const [verb, body] of [
      ["capture", { credits: "1" }],
      ["release", undefined],
    ] as const) {
      const refused = await post(`stranger/holds/run/${verb}`, body);
      expect([refused.status, refused.body.type]).toEqual([404, "urn:drawdown:unknown_hold"]);
    }
    expect((await get("owner/holds/run")).body).toMatchObject({ status: "open", held: "10" });
    const own = await post("stranger/holds", { hold_id: "run", credits: "20" });
    expect([own.status, own.body.credits]).toEqual([201, "20"]);
  });

  test("an account that does not exist", async () => {
    const refused = await post("nobody/holds", { hold_id: "run", credits: "1" });
    expect([refused.status, refused.body.type]).toEqual([404, "urn:drawdown:unknown_account"]);
  });
});

test("who publishes usage may set credits aside; who only reads, or a customer, may not", async () => {
  await open("scoped", 100n);
  const body = { hold_id: "run", credits: "1" };
  const ask = async (authorization: string) =>
    (await post("scoped/holds", body, { authorization })).status;
  expect(await ask(`Bearer ${await makeKey(books, ["ingest"])}`)).toBe(201);
  expect(await ask(`Bearer ${await makeKey(books, ["billing"])}`)).toBe(201);
  expect(await ask(`Bearer ${await makeKey(books, ["read", "dashboard"])}`)).toBe(403);
  const { token } = (await post("scoped/dashboard-tokens", {})).body;
  expect(await ask(`Bearer ${token}`)).toBe(403);
  const headers = { authorization: `Bearer ${token}` };
  const shown = await api.ask("GET", "/v1/accounts/scoped/holds/run", { headers });
  expect([shown.status, shown.body.requested_by]).toEqual([200, "seller"]);
});

describe("an account's overdraft", () => {
  const set = (id: string, overdraft: unknown) =>
    api.ask("PATCH", `/v1/accounts/${id}`, { body: { overdraft } });

  test("is set by those who may change an account, with who and when", async () => {
    await open("limits", 100n);
    expect((await get("limits")).body).toMatchObject({ overdraft: null });
    for (const overdraft of ["0", "50", "unlimited", null]) {
      expect((await set("limits", overdraft)).body).toMatchObject({ overdraft });
    }
    expect((await set("limits", null)).status).toBe(422);
    const { items } = (await get("limits/settings/changes")).body;
    expect(items.slice(0, 3)).toMatchObject([
      { overdraft: null, by: expect.stringMatching(/^key:/) },
      { overdraft: "unlimited" },
      { overdraft: "50" },
    ]);
  });

  test.each(["-1", "none", "9223372036854775808", 5, ""])("cannot be %j", async (overdraft) => {
    await open(`bad-${overdraft}`, 100n);
    expect((await set(`bad-${overdraft}`, overdraft)).status).toBe(400);
  });

  test("is how far below zero holds and allowances go", async () => {
    await open("overdrawn", 100n);
    await set("overdrawn", "50");
    expect((await get("overdrawn/allowance?credits=150")).body).toMatchObject({
      ...{ allowed: true, reason: "within_overdraft", overdraft: "50", shortage: null },
    });
    expect((await get("overdrawn/allowance?credits=151")).body).toMatchObject({
      ...{ allowed: false, reason: "not_enough" },
      shortage: { why: "top_up_stopped", top_up_at: null, next_credits_at: null },
    });
    expect((await post("overdrawn/holds", { hold_id: "run", credits: "151" })).body.detail).toBe(
      "the hold asks for 0.000151 credits, and 0.0001 are available, or 0.00015 with the overdraft",
    );
    const held = await post("overdrawn/holds", { hold_id: "run", credits: "150" });
    expect([held.status, held.body]).toMatchObject([201, { held: "150" }]);
    expect((await get("overdrawn/balance")).body).toMatchObject({ available: "-50" });
    expect((await post("overdrawn/holds", { hold_id: "more", credits: "1" })).status).toBe(402);
    await set("overdrawn", "unlimited");
    expect((await post("overdrawn/holds", { hold_id: "more", credits: "1000" })).status).toBe(201);
  });

  test("of none is a stop: auto top-up is not trusted to come in time", async () => {
    await openAccountWithCard(books, "stopped", { lots: [{ credits: 100n }] });
    const trusted = { allowed: true, reason: "will_be_topped_up" };
    expect((await get("stopped/allowance?credits=200")).body).toMatchObject(trusted);
    await set("stopped", "0");
    expect((await get("stopped/allowance?credits=200")).body).toMatchObject({
      ...{ allowed: false, reason: "not_enough", shortage: { why: "no_credits" } },
    });
    expect((await get("stopped/allowance?credits=100")).body).toMatchObject({ allowed: true });
  });

  test("is the default of the API where the account has none", async () => {
    await open("by-default", 100n);
    const given = await openApi(books, { now: () => now }, { defaultOverdraft: 50n });
    const ask = (credits: string, id: string) =>
      given.ask("POST", "/v1/accounts/by-default/holds", { body: { hold_id: id, credits } });
    expect((await ask("150", "a")).status).toBe(201);
    expect((await ask("1", "b")).status).toBe(402);
    const path = "/v1/accounts/by-default/allowance?credits=1";
    expect((await given.ask("GET", path)).body).toMatchObject({ allowed: false, overdraft: "50" });
  });
});

test("ended holds are listed apart, the last one first, page by page", async () => {
  await open("ended-list", 100n);
  for (const id of ["a", "b", "c"]) {
    await post("ended-list/holds", { hold_id: id, credits: "10" });
    now += 1;
    await post(`ended-list/holds/${id}/release`);
  }
  await post("ended-list/holds", { hold_id: "d", credits: "10" });
  const first = (await get("ended-list/holds?ended=true&limit=2")).body;
  expect(first.items.map((one: { hold_id: string }) => one.hold_id)).toEqual(["c", "b"]);
  const next = `ended-list/holds?ended=true&limit=2&cursor=${first.next_cursor}`;
  const second = (await get(next)).body;
  expect(second.items.map((one: { hold_id: string }) => one.hold_id)).toEqual(["a"]);
  expect(second.next_cursor).toBeNull();
  const left = (await get("ended-list/holds?ended=false")).body;
  expect(left.items.map((one: { hold_id: string }) => one.hold_id)).toEqual(["d"]);
  expect((await get("ended-list/holds?ended=maybe")).status).toBe(400);
});

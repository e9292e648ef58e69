import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Scope } from "../../shared/core/text/scopes.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { openPayer, sellCredits } from "../support/books/payers.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { drawdown, words } from "../support/cli/drawdown.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

/** Access: every route is tried with every kind of caller. */
let books: Books;
let api: TestApi;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  for (const account of ["mine", "theirs"]) {
    await openAccount(books, account, { lots: [{ credits: 5_000_000n }] });
  }
});

afterAll(async () => {
  await books?.close();
});

beforeEach(async () => {
  api = await openApi(books);
});

/** All routes of the document, with an account filled in. */
async function routes(account: string) {
  const { body } = await api.ask("GET", "/openapi.json");
  return Object.entries<Record<string, unknown>>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase() as Parameters<TestApi["ask"]>[0],
      path,
      url: path.replace("{account_id}", account).replaceAll(/\{\w+\}/g, "1f0c2b7a9d3e4f56"),
    })),
  );
}

const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });

async function tokenFor(account: string, body: { read_only?: boolean } = {}): Promise<string> {
  const made = await api.ask("POST", `/v1/accounts/${account}/dashboard-tokens`, { body });
  expect(made.status).toBe(201);
  return made.body.token;
}

/** The routes of the account `mine` that do not refuse a secret. */
async function openedBy(secret: string): Promise<string[]> {
  const opened: string[] = [];
  for (const { method, url, path } of await routes("mine")) {
    if (path.endsWith("/stream")) continue;
    const body = method === "GET" ? undefined : {};
    const { status } = await api.ask(method, url, { ...bearer(secret), body });
    if (status !== 403) opened.push(`${method} ${path.replace("/v1/accounts/{account_id}", "")}`);
  }
  return opened;
}

test("without a key only the OpenAPI document is open", async () => {
  const all = await routes("mine");
  expect(all.length).toBeGreaterThan(30);
  for (const secret of ["", "Bearer ", "Bearer ddk_1f0c2b7a9d3e4f56_no", "Basic YTpi"]) {
    for (const { method, url } of all) {
      const answer = await api.ask(method, url, { headers: { authorization: secret } });
      expect([url, answer.status]).toEqual([url, 401]);
      expect(answer.body.type).toBe("urn:drawdown:unauthenticated");
    }
  }
});

test.each([
  ["", "send an API key or a dashboard token as Authorization: Bearer"],
  [
    "Bearer ddk_1f0c2b7a",
    "what was sent as Authorization: Bearer is no key and no token; send all of it",
  ],
])("the answer to %j says what is wrong with it", async (authorization, detail) => {
  const answer = await api.ask("GET", "/v1/accounts", { headers: { authorization } });
  expect(answer.body).toMatchObject({ status: 401, detail });
});

test("a secret that is wrong in one character opens nothing", async () => {
  const key = await makeKey(books, ["admin"]);
  const wrong = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
  expect((await api.ask("GET", "/v1/accounts", bearer(key))).status).toBe(200);
  expect((await api.ask("GET", "/v1/accounts", bearer(wrong))).status).toBe(401);
});

const OF_THEIRS = { account_id: "theirs", meter: "call", quantity: 1 };

describe("a dashboard token", () => {
  test("opens its own account, and may top it up and set auto top-up", async () => {
    expect(await openedBy(await tokenFor("mine"))).toEqual([
      "GET ",
      "PATCH ",
      "GET /settings/changes",
      "GET /balance",
      "GET /lots",
      "GET /lots/{lot_id}/usage",
      "GET /entries",
      "GET /usage",
      "GET /usage-records",
      "GET /events/{event_id}",
      "GET /runway",
      "GET /allowance",
      "GET /holds",
      "GET /holds/{hold_id}",
      "GET /alerts",
      "GET /budgets",
      "GET /rates",
      "GET /top-ups",
      "POST /top-ups",
      "GET /payments",
      "GET /auto-top-up",
      "PATCH /auto-top-up",
      "GET /subscription",
      "GET /subscription/changes",
      "GET /names",
    ]);
  });

  test("for reading only, opens what shows its account and nothing that changes it", async () => {
    const all = await openedBy(await tokenFor("mine"));
    const shown = await openedBy(await tokenFor("mine", { read_only: true }));
    expect(shown).toEqual(all.filter((route) => route.startsWith("GET ")));
    // Its text is no more than what the dashboard goes by.
    const edited = (await tokenFor("mine", { read_only: true })).replace("ddr_", "ddt_");
    expect(await openedBy(edited)).toEqual(shown);
  });

  test("opens no other account, by any route", async () => {
    const mine = bearer(await tokenFor("mine"));
    for (const { method, url } of await routes("theirs")) {
      const body = url === "/v1/estimate" ? OF_THEIRS : undefined;
      const { status } = await api.ask(method, url, { ...mine, body });
      expect([method, url, status]).toEqual([method, url, 403]);
    }
  });

  test("cannot be edited into one for another account", async () => {
    const [, , secret] = (await tokenFor("mine")).split("_");
    const forged = `ddt_${Buffer.from("theirs").toString("base64url")}_${secret}`;
    expect((await api.ask("GET", "/v1/accounts/theirs", bearer(forged))).status).toBe(401);
  });

  test("expires", async () => {
    let now = Date.now();
    api = await openApi(books, { now: () => now });
    const mine = bearer(await tokenFor("mine"));
    now += 59 * 60_000;
    expect((await api.ask("GET", "/v1/accounts/mine", mine)).status).toBe(200);
    now += 60_000;
    const ended = await api.ask("GET", "/v1/accounts/mine", mine);
    expect([ended.status, ended.body.detail]).toEqual([401, "the key or token has expired"]);
  });

  test("cannot change the time zone, which is the seller's to set", async () => {
    const mine = bearer(await tokenFor("mine"));
    const body = { time_zone: "Asia/Tokyo" };
    const answer = await api.ask("PATCH", "/v1/accounts/mine", { ...mine, body });
    expect([answer.status, answer.body.field]).toEqual([403, "time_zone"]);
  });
});

test.each<{ scope: Scope; may: readonly string[]; mayNot: readonly string[] }>([
  {
    scope: "ingest",
    may: ["POST /v1/events"],
    mayNot: ["GET /v1/accounts", "POST /v1/accounts/mine/grants", "GET /v1/keys"],
  },
  {
    scope: "read",
    may: ["GET /v1/accounts", "GET /v1/accounts/theirs", "GET /v1/catalogue"],
    mayNot: [
      ...["POST /v1/accounts/mine/grants", "POST /v1/events", "GET /v1/operations"],
      ...["GET /v1/accounts/mine/payment-method", "POST /v1/accounts/mine/payments/one/refunds"],
      ...["POST /v1/catalogue/changes", "POST /v1/catalogue/previews"],
      "POST /v1/dead-letters/retries",
    ],
  },
  {
    scope: "billing",
    may: [
      ...["POST /v1/accounts/mine/grants", "POST /v1/accounts/mine/dashboard-tokens"],
      ...["GET /v1/accounts/mine/payment-method", "POST /v1/accounts/mine/payments/one/refunds"],
    ],
    mayNot: ["GET /v1/accounts", "GET /v1/keys", "POST /v1/keys", "POST /v1/events"],
  },
  {
    scope: "dashboard",
    may: ["POST /v1/accounts/mine/dashboard-tokens", "GET /v1/accounts/mine/dashboard-tokens"],
    mayNot: ["GET /v1/accounts/mine", "POST /v1/accounts/mine/grants", "POST /v1/keys"],
  },
  {
    scope: "metrics",
    may: ["GET /metrics", "GET /v1/operations"],
    mayNot: ["GET /v1/accounts", "GET /v1/keys", "GET /v1/dead-letters", "GET /v1/catalogue"],
  },
  {
    scope: "catalogue",
    may: ["GET /v1/catalogue", "POST /v1/catalogue/previews", "POST /v1/catalogue/changes"],
    mayNot: [
      ...["GET /v1/accounts", "GET /v1/dead-letters", "GET /metrics"],
      "POST /v1/dead-letters/retries",
    ],
  },
  {
    scope: "dead_letters",
    may: [
      "GET /v1/dead-letters",
      "POST /v1/dead-letters/retries",
      "POST /v1/dead-letters/dismissals",
      "POST /v1/dead-letters/usage.events/0/1/retries",
      "POST /v1/dead-letters/usage.events/0/1/dismissals",
    ],
    mayNot: ["GET /v1/accounts", "GET /v1/catalogue", "GET /metrics", "POST /v1/catalogue/changes"],
  },
])("a key with scope $scope", async ({ scope, may, mayNot }) => {
  const key = bearer(await makeKey(books, [scope]));
  const statusOf = async (route: string) => {
    const [method, url] = route.split(" ") as ["GET" | "POST", string];
    return (await api.ask(method, url, { ...key, body: method === "POST" ? {} : undefined }))
      .status;
  };
  for (const route of may) expect([route, await statusOf(route)]).not.toEqual([route, 403]);
  for (const route of mayNot) expect([route, await statusOf(route)]).toEqual([route, 403]);
});

test("a revoked key opens nothing within seconds, nor do the tokens made with it", async () => {
  let now = Date.now();
  api = await openApi(books, { now: () => now });
  const made = await api.ask("POST", "/v1/keys", {
    body: { name: "short-lived", scopes: ["read", "billing"] },
  });
  const key = bearer(made.body.key);
  const lent = await api.ask("POST", "/v1/accounts/mine/dashboard-tokens", { ...key, body: {} });
  const token = bearer(lent.body.token);
  for (const secret of [key, token]) {
    expect((await api.ask("GET", "/v1/accounts/mine", secret)).status).toBe(200);
  }
  expect((await api.ask("DELETE", `/v1/keys/${made.body.key_id}`)).status).toBe(204);
  now += 2_001;
  for (const secret of [key, token]) {
    expect((await api.ask("GET", "/v1/accounts/mine", secret)).status).toBe(401);
  }
});

test("a key that expires opens nothing from then on, nor do its tokens; lists show when", async () => {
  let now = Date.now();
  api = await openApi(books, { now: () => now });
  const scopes = ["read", "dashboard"];
  const expires_at = new Date(now + 600_000).toISOString();
  const made = await api.ask("POST", "/v1/keys", { body: { name: "brief", scopes, expires_at } });
  const key = bearer(made.body.key);
  const lent = await api.ask("POST", "/v1/accounts/mine/dashboard-tokens", { ...key, body: {} });
  const { body } = await api.ask("GET", "/v1/keys");
  const listed = body.items.find(({ name }: { name: string }) => name === "brief");
  expect(listed).toMatchObject({ name: "brief", expires_at, account_ids: null });
  now += 599_000;
  const secrets = [key, bearer(lent.body.token)];
  const statuses = () =>
    Promise.all(
      secrets.map(async (secret) => (await api.ask("GET", "/v1/accounts/mine", secret)).status),
    );
  expect(await statuses()).toEqual([200, 200]);
  const metrics = await api.ask("GET", "/metrics");
  expect(metrics.text).toContain(
    `drawdown_api_key_expiry_timestamp_seconds{key_id="${made.body.key_id}"} ${Date.parse(expires_at) / 1000}`,
  );
  now += 1_000;
  expect(await statuses()).toEqual([401, 401]);
});

test("one token is revoked by its id; the others of its key go on", async () => {
  let now = Date.now();
  api = await openApi(books, { now: () => now });
  const path = "/v1/accounts/theirs/dashboard-tokens";
  const [one, other] = [await tokenFor("theirs"), await tokenFor("theirs")];
  const { body } = await api.ask("GET", path);
  expect(body.items.map(({ read_only }: { read_only: boolean }) => read_only)).toEqual([
    false,
    false,
  ]);
  expect(JSON.stringify(body)).not.toContain(one.slice(-43));
  const hash = createHash("sha256").update(one.slice(-43)).digest("hex");
  const token = body.items.find(({ token_id }: { token_id: string }) => hash.startsWith(token_id));
  expect((await api.ask("GET", "/v1/accounts/theirs", bearer(one))).status).toBe(200);
  expect((await api.ask("DELETE", `${path}/${token.token_id}`)).status).toBe(204);
  now += 2_001;
  expect((await api.ask("GET", "/v1/accounts/theirs", bearer(one))).status).toBe(401);
  expect((await api.ask("GET", "/v1/accounts/theirs", bearer(other))).status).toBe(200);
  expect((await api.ask("GET", path)).body.items).toHaveLength(1);
});

test("a key restricted to some accounts opens no other, by any route", async () => {
  const body = { name: "narrow", scopes: ["read", "billing", "ingest"], account_ids: ["mine"] };
  const made = await api.ask("POST", "/v1/keys", { body });
  const key = bearer(made.body.key);
  const open = [];
  for (const { method, url } of await routes("theirs")) {
    const { status } = await api.ask(method, url, {
      ...key,
      body: method === "GET" ? undefined : {},
    });
    if (status !== 403) open.push(`${method} ${url}`);
  }
  expect(open).toEqual([
    "POST /v1/accounts",
    "POST /v1/estimate",
    "GET /v1/payments",
    "GET /v1/catalogue",
    "POST /v1/events",
    "POST /api/v1/events",
  ]);
  const statusOf = async (...asked: Parameters<TestApi["ask"]>) =>
    (await api.ask(asked[0], asked[1], { ...key, ...asked[2] })).status;
  expect(await statusOf("GET", "/v1/accounts/mine")).toBe(200);
  expect(await statusOf("POST", "/v1/accounts", { body: { account_id: "more" } })).toBe(403);
  expect(await statusOf("POST", "/v1/estimate", { body: OF_THEIRS })).toBe(403);
  const event = { specversion: "1.0", id: "e", source: "s", type: "call", subject: "theirs" };
  expect(await statusOf("POST", "/v1/events", { body: { ...event, data: { quantity: 1 } } })).toBe(
    403,
  );
  const refused = await api.ask("POST", "/v1/keys", { body: { ...body, scopes: ["admin"] } });
  expect([refused.status, refused.body.field]).toEqual([400, "account_ids"]);
});

test("docs/api.md lists the routes that each scope opens", async () => {
  const { body } = await api.ask("GET", "/openapi.json");
  type Operation = { security: Record<string, string[]>[] };
  const opened = new Map<string, string[]>([["metrics", ["GET /metrics"]]]);
  for (const [path, operations] of Object.entries<Record<string, Operation>>(body.paths)) {
    for (const [method, { security }] of Object.entries(operations)) {
      for (const { key, token } of security) {
        const by = key?.[0] ?? (token === undefined ? "none" : "token");
        const route = `${method.toUpperCase()} ${path.replace("/v1/accounts/{account_id}", "...")}`;
        opened.set(by, [...(opened.get(by) ?? []), route]);
      }
    }
  }
  const page = await readFile("docs/api.md", "utf8");
  const rows = [...page.matchAll(/^- `?(\w+)`?: (`(?:GET|POST|PUT|PATCH|DELETE) .*`)$/gm)];
  const documented = rows.map(([, by, list = ""]) => [
    by,
    [...list.matchAll(/`([^`]+)`/g)].map(([, route]) => route).sort(),
  ]);
  const expected = [...opened].map(([by, list]) => [by, list.sort()]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(expected));
});

test("wrong keys are limited by address, logged without the key, and counted", async () => {
  const logger = createLogger("api", "silent");
  const warn = vi.spyOn(logger, "warn");
  api = await openApi(books, { logger }, { wrongKeysPerMinute: 3 });
  const key = await makeKey(books, ["read", "metrics"]);
  const wrong = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
  expect((await api.ask("GET", "/v1/accounts", bearer(key))).status).toBe(200);
  const statuses = [];
  for (const secret of [wrong, "nonsense", wrong, wrong, "nonsense"]) {
    statuses.push((await api.ask("GET", "/v1/accounts", bearer(secret))).status);
  }
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  const limited = await api.ask("GET", "/v1/accounts", bearer(wrong));
  expect(limited.body.type).toBe("urn:drawdown:too_many_wrong_keys");
  expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
  expect((await api.ask("GET", "/v1/accounts", bearer(key))).status).toBe(200);
  const logged = warn.mock.calls.map(([about]) => about);
  expect(logged).toMatchObject([
    { reason: "unknown", wrong: 1 },
    { reason: "unknown", wrong: 3 },
  ]);
  expect(JSON.stringify(logged)).not.toContain(wrong.slice(-43));
  const { text } = await api.ask("GET", "/metrics", bearer(key));
  for (const line of ['"unknown"} 2', '"malformed"} 1', '"limited"} 3']) {
    expect(text).toContain(`drawdown_wrong_keys_total{reason=${line}\n`);
  }
});

test("who did it is stored with what was done: a key, a token, a user of the command line", async () => {
  await sellCredits(books);
  await openPayer(books, "paying");
  const key = await makeKey(books, ["billing", "read"]);
  const by = `key:${key.split("_")[1]}`;
  const path = "/v1/accounts/paying";
  const cli = async (line: string) => {
    const ran = await drawdown(words(line), { env: { DATABASE_URL: books.url } });
    expect([line, ran.code, ran.stderr]).toEqual([line, 0, ""]);
    return ran.stdout;
  };
  for (const [to, body] of [
    ["grants", { credits: "5000000", lot_id: "gift" }],
    ["adjustments", { credits: "3", reference: "more" }],
    ["adjustments", { credits: "-3", reference: "less" }],
  ] as const) {
    expect((await api.ask("POST", `${path}/${to}`, { ...bearer(key), body })).status).toBe(201);
  }
  const token = bearer(await tokenFor("paying"));
  const bought = await api.ask("POST", `${path}/top-ups`, { ...token, body: { amount: "1000" } });
  expect(bought.body).toMatchObject({ requested_by: "customer" });

  // A customer reads no name of the seller's key.
  const read = await api.ask("GET", `${path}/entries`, token);
  const kinds = read.body.items.map((entry: Record<string, unknown>) => entry["posted_by"]);
  expect(kinds).toEqual(["seller", "seller", "seller", null]);
  expect(await cli("explain lot paying gift")).toMatch(new RegExp(`granted by +${by}`));

  const { username } = userInfo();
  await cli("grant paying 1 --lot-id typed");
  await cli("lot withdraw paying typed");
  await cli("rate set typed 1 --per 1");
  const { body } = await api.ask("GET", `${path}/entries`);
  const actors = body.items.map((entry: Record<string, unknown>) => entry["posted_by"]);
  expect(actors).toEqual([username, username, by, by, by, null]);
  expect(await cli("entries paying")).toContain(` ${by} `);
  const offer = await api.ask("GET", "/v1/catalogue");
  expect(offer.body.meters).toContainEqual(
    expect.objectContaining({ meter: "typed", set_by: username }),
  );
  expect(await cli(`payment show paying ${bought.body.payment_id}`)).toMatch(
    /requested by +token:paying/,
  );
  // What fell due meanwhile is nobody's.
  await openSubscriber(books, "due", { at: Date.now() - 40 * 24 * 60 * 60_000, voices: 0 });
  await cli("grant due 1 --lot-id late");
  const due = await api.ask("GET", "/v1/accounts/due/entries");
  const postedBy = due.body.items.map((entry: Record<string, unknown>) => entry["posted_by"]);
  expect(postedBy).toEqual([username, ...due.body.items.slice(2).map(() => null), "test"]);
  expect(postedBy.length).toBeGreaterThan(2);
});

test("a customer reads what ids are called, but of plans only their own", async () => {
  const price = { USD: { monthly: 10, yearly: 100 } };
  const stated = {
    meters: {
      call: { credits: 1, per: 1, name: "Calls <b>", unit: { one: "call", many: "calls" } },
    },
    plans: {
      hundred: { credits: 100, first_credits: "immediately", prices: price, name: "A hundred" },
      "hundred-paid": { credits: 100, prices: price, name: "For one customer" },
    },
    add_ons: { voice: { credits: 20, name: "Voices" } },
    dimensions: { model: { name: "Model", values: { "gpt-5": "GPT-5" } } },
  };
  const key = await makeKey(books, ["catalogue"]);
  const setBy = `key:${key.split("_")[1]}`;
  const applied = await api.ask("POST", "/v1/catalogue/changes", { ...bearer(key), body: stated });
  expect([applied.body.outcome, applied.body.names.length]).toEqual(["applied", 6]);
  const again = await api.ask("POST", "/v1/catalogue/changes", { ...bearer(key), body: stated });
  expect(again.body.outcome).toBe("unchanged");

  const names = [
    { what: "add_on", id: "voice", name: "Voices", unit: null },
    { what: "dimension", id: "model", name: "Model", unit: null },
    { what: "dimension_value", id: "model=gpt-5", name: "GPT-5", unit: null },
    { what: "meter", id: "call", name: "Calls <b>", unit: { one: "call", many: "calls" } },
    { what: "plan", id: "hundred", name: "A hundred", unit: null },
  ];
  const offer = await api.ask("GET", "/v1/catalogue", bearer(key));
  expect(offer.body.names).toEqual([
    ...names.map((name) => ({ ...name, set_by: setBy })),
    { what: "plan", id: "hundred-paid", name: "For one customer", unit: null, set_by: setBy },
  ]);
  await openSubscriber(books, "named", { at: Date.now() });
  const token = bearer(await tokenFor("named"));
  expect((await api.ask("GET", "/v1/accounts/named/names", token)).body.items).toEqual(names);
  const without = await api.ask("GET", "/v1/accounts/theirs/names");
  expect(without.body.items).toEqual(names.slice(0, 4));
});

test("a key is shown once: the books store a hash, and lists show when it was last used", async () => {
  const made = await api.ask("POST", "/v1/keys", { body: { name: "hashed", scopes: ["read"] } });
  await api.ask("GET", "/v1/accounts", bearer(made.body.key));
  const secret = made.body.key.split("_").slice(2).join("_");
  const { rows } = await books.database.query("SELECT * FROM api_key");
  expect(JSON.stringify(rows)).not.toContain(secret);
  const listed = await api.ask("GET", "/v1/keys");
  expect(listed.text).not.toContain(secret);
  const [newest] = listed.body.items;
  expect(newest).toMatchObject({ name: "hashed", scopes: ["read"], revoked_at: null });
  expect(newest.last_used_at).not.toBeNull();
});

test("the document and its pages are open, under a policy that allows no foreign script", async () => {
  for (const url of ["/openapi.json", "/docs", "/docs/static/swagger-initializer.js", "/health"]) {
    const answer = await api.ask("GET", url, bearer(""));
    expect([url, answer.status]).toEqual([url, 200]);
    expect(String(answer.headers["content-security-policy"])).toMatch(/default-src 'self'/);
  }
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Scope } from "../../shared/ledger/access/api-keys.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { openCatalogue } from "../support/books/subscribers.ts";
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

test("a secret that is wrong in one character opens nothing", async () => {
  const key = await makeKey(books, ["admin"]);
  const wrong = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
  expect((await api.ask("GET", "/v1/accounts", bearer(key))).status).toBe(200);
  expect((await api.ask("GET", "/v1/accounts", bearer(wrong))).status).toBe(401);
});

describe("a dashboard token", () => {
  test("opens its own account, and may top it up and set auto top-up", async () => {
    expect(await openedBy(await tokenFor("mine"))).toEqual([
      "GET ",
      "PATCH ",
      "GET /balance",
      "GET /lots",
      "GET /lots/{lot_id}/usage",
      "GET /entries",
      "GET /usage",
      "GET /usage-records",
      "GET /events/{event_id}",
      "GET /runway",
      "GET /allowance",
      "GET /top-ups",
      "POST /top-ups",
      "GET /payments",
      "GET /auto-top-up",
      "PATCH /auto-top-up",
      "GET /subscription",
      "GET /subscription/changes",
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
      const { status } = await api.ask(method, url, mine);
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
    expect([ended.status, ended.body.detail]).toEqual([401, "the token has expired"]);
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
    mayNot: ["POST /v1/accounts/mine/grants", "POST /v1/events", "GET /v1/operations"],
  },
  {
    scope: "billing",
    may: ["POST /v1/accounts/mine/grants", "POST /v1/accounts/mine/dashboard-tokens"],
    mayNot: ["GET /v1/accounts", "GET /v1/keys", "POST /v1/keys", "POST /v1/events"],
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

/** The server regardless of route: who can reach it, from where, how often; and its settings. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nameComponents } from "../../services/api/name-components.ts";
import { readApiSettings } from "../../services/api/settings.ts";
import { inTransaction, openDatabase } from "../../shared/ledger/postgres/database.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { inlined } from "../support/inlined.ts";
import { makeKey, openApi } from "../support/processes/api.ts";
import { tempFolder } from "../support/temp-folder.ts";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openAccount(books, "acme");
});

afterAll(async () => {
  await books?.close();
});

const BALANCE = "/v1/accounts/acme/balance";

describe("settings", () => {
  test("by default it listens on this machine only", () => {
    expect(readApiSettings({})).toEqual({
      host: "127.0.0.1",
      port: 8088,
      corsOrigins: [],
      embedOrigins: [],
      requestsPerMinute: 60_000,
      requestWithinMs: 30_000,
      streamsPerAccount: 100,
      wrongKeysPerMinute: 30,
      trustedProxies: undefined,
      defaultOverdraft: null,
    });
  });

  test("proxies are addresses and networks, a request's time any part of a second", () => {
    const proxies = "loopback, 10.0.0.0/8,172.16.0.0/255.240.0.0,fd00::/8, 192.0.2.7";
    const set = { API_TRUSTED_PROXIES: proxies, API_REQUEST_SECONDS: "1.0005" };
    expect(readApiSettings(set)).toMatchObject({ trustedProxies: proxies, requestWithinMs: 1_001 });
  });

  test("origins are a list", () => {
    const API_CORS_ORIGINS = "https://shop.example, http://localhost:3000,";
    const { corsOrigins } = readApiSettings({ API_CORS_ORIGINS });
    expect(corsOrigins).toEqual(["https://shop.example", "http://localhost:3000"]);
  });

  test("origins are what browsers send, also of one with a slash, capitals or the usual port", () => {
    const { embedOrigins } = readApiSettings({ API_EMBED_ORIGINS: "https://Shop.example:443/" });
    expect(embedOrigins).toEqual(["https://shop.example"]);
  });

  test.each([
    { API_PORT: "http" },
    { API_PORT: "65536" },
    { API_CORS_ORIGINS: "*" },
    { API_CORS_ORIGINS: "javascript:alert(1)" },
    { API_CORS_ORIGINS: "https://shop.example/basket" },
    { API_EMBED_ORIGINS: "https://shop.example;script-src https://evil.example" },
    { API_EMBED_ORIGINS: "https://someone@shop.example" },
    { API_REQUESTS_PER_MINUTE: "0" },
    { API_REQUEST_SECONDS: "0" },
    { API_REQUEST_SECONDS: "99999999999" },
    { API_TRUSTED_PROXIES: "the proxy" },
    { API_TRUSTED_PROXIES: "10.0.0.7, 10.0.0.0/33" },
    { API_TRUSTED_PROXIES: "10.0.0.7," },
  ])("%o is refused by name", (set) => {
    const [name = ""] = Object.keys(set);
    expect(() => readApiSettings(set)).toThrow(InvalidSettings);
    expect(() => readApiSettings(set)).toThrow(name);
  });
});

const origin = "https://shop.example";

describe("pages of other origins", () => {
  const preflight = { origin, "access-control-request-method": "GET" };

  test("may read nothing by default", async () => {
    const { ask, app } = await openApi(books);
    const { headers } = await ask("GET", BALANCE, { headers: { origin } });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    const asked = await app.inject({ method: "OPTIONS", url: BALANCE, headers: preflight });
    expect(asked.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("may where their origin is allowed, including changes and resuming a stream; no others may", async () => {
    const { ask, app } = await openApi(books, {}, { corsOrigins: [origin] });
    const allowed = await ask("GET", BALANCE, { headers: { origin } });
    expect(allowed.headers["access-control-allow-origin"]).toBe(origin);
    expect(allowed.headers["access-control-allow-credentials"]).toBeUndefined();
    const asked = await app.inject({ method: "OPTIONS", url: BALANCE, headers: preflight });
    expect([asked.statusCode, asked.headers["access-control-allow-origin"]]).toEqual([204, origin]);
    expect(asked.headers["access-control-allow-methods"]).toMatch(/PATCH/);
    const other = await ask("GET", BALANCE, { headers: { origin: "https://evil.example" } });
    expect(other.headers["access-control-allow-origin"]).not.toBe("https://evil.example");
  });
});

test("an allowed page of another origin may show the dashboard in a frame, and no other may", async () => {
  const { ask } = await openApi(books, {}, { embedOrigins: [origin] });
  const { headers } = await ask("GET", "/docs/");
  expect(headers["x-frame-options"]).toBeUndefined();
  const page = await ask("GET", BALANCE);
  expect(page.headers["content-security-policy"]).toMatch(
    /frame-ancestors 'self' https:\/\/shop\.example(;|$)/,
  );
});

test("an idle connection does not delay a stop", async () => {
  const { app } = await openApi(books);
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  const silent = connect(Number(new URL(origin).port), "127.0.0.1");
  await once(silent, "connect");
  expect((await fetch(`${origin}/health`)).status).toBe(200);
  const startedAt = performance.now();
  await app.close();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  silent.destroy();
});

test("every answer has security headers", async () => {
  const { ask } = await openApi(books);
  for (const url of [BALANCE, "/docs/", "/nowhere"]) {
    const { headers } = await ask("GET", url);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "SAMEORIGIN",
      "referrer-policy": "no-referrer",
    });
    expect(headers["content-security-policy"]).toMatch(/default-src 'self'/);
    expect(headers["strict-transport-security"]).toBeDefined();
    expect(headers["x-powered-by"]).toBeUndefined();
  }
});

test("a key with too many requests is told when to retry, and other keys are not affected", async () => {
  const { ask } = await openApi(books, {}, { requestsPerMinute: 3 });
  const [mine, other] = [await makeKey(books, ["read"]), await makeKey(books, ["read"])];
  const asked = [];
  for (const scheme of ["Bearer", "bearer", "Bearer", "BEARER"]) {
    asked.push(await ask("GET", BALANCE, { headers: { authorization: `${scheme} ${mine}` } }));
  }
  expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(asked[3]?.body).toMatchObject({ status: 429, type: "urn:drawdown:too_many_requests" });
  expect(asked[3]?.headers["content-type"]).toBe("application/problem+json");
  const retryAfter = Number(asked[3]?.headers["retry-after"]);
  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(60);
  const others = await ask("GET", BALANCE, { headers: { authorization: `Bearer ${other}` } });
  expect(others.status).toBe(200);
});

test("/ links to the API's pages and the dashboard, and /dashboard leads there", async () => {
  const dashboardDir = await tempFolder();
  await writeFile(join(dashboardDir, "index.html"), "the dashboard");
  const { ask } = await openApi(books, { dashboardDir });
  const keyless = { headers: { authorization: "" } };
  const root = await ask("GET", "/", keyless);
  expect(root).toMatchObject({
    status: 200,
    headers: { "content-type": expect.stringMatching(/^text\/html/) },
  });
  const links = [...root.text.matchAll(/href="([^"]+)"/g)].map(([, href = ""]) => href);
  expect(links).toEqual(["/docs", "/openapi.json", "/dashboard/"]);
  for (const link of links) expect((await ask("GET", link, keyless)).status).toBe(200);
  const short = await ask("GET", "/dashboard", keyless);
  expect(short).toMatchObject({ status: 301, headers: { location: "/dashboard/" } });
});

test("a path that exists answers other methods with 405 and what it allows", async () => {
  const { ask } = await openApi(books);
  const cases = [
    ["DELETE", BALANCE, "GET, HEAD"],
    ["PUT", "/v1/accounts/acme/grants", "POST"],
    ["PATCH", "/v1/accounts/acme/lots/one/usage", "GET, HEAD"],
    ["GET", "/v1/events", "POST"],
  ] as const;
  for (const [method, url, allow] of cases) {
    const { status, headers, body } = await ask(method, url);
    expect([url, status, headers["allow"]]).toEqual([url, 405, allow]);
    expect(body).toMatchObject({ type: "urn:drawdown:method_not_allowed" });
  }
  expect((await ask("DELETE", "/v1/nowhere")).status).toBe(404);
});

test("nothing private is cached, and no content type is guessed", async () => {
  const api = await openApi(books);
  for (const url of [BALANCE, "/v1/accounts/nobody", "/v1/keys", "/metrics", "/v1/nothing"]) {
    const { headers } = await api.ask("GET", url);
    expect([url, headers["cache-control"]]).toEqual([url, "no-store"]);
    expect(headers["x-content-type-options"]).toBe("nosniff");
  }
});

test("heavy reads that stand still keep no balance or allowance waiting; too many of an account are 429", async () => {
  await openAccount(books, "heavy");
  const heavyDatabase = openDatabase({ url: books.url, tls: null }, { name: "t", connections: 8 });
  const api = await openApi(books, { heavyDatabase });
  const status = async (url: string) => (await api.ask("GET", `/v1/accounts/${url}`)).status;
  const explained = "events/none";
  const answers: Promise<number>[] = [];
  await inTransaction(books.database, async (transaction) => {
    await transaction.query("LOCK TABLE usage_page, spend_hour IN ACCESS EXCLUSIVE MODE");
    const heavy = Array.from({ length: 34 }, () => status(`heavy/${explained}`));
    expect(await Promise.race(heavy)).toBe(429);
    answers.push(...heavy);
    const began = Date.now();
    expect(await status("heavy/balance")).toBe(200);
    expect(await status("heavy/allowance?credits=1")).toBe(200);
    expect(Date.now() - began).toBeLessThan(1_000);
  });
  const statuses = (await Promise.all(answers)).sort();
  expect(statuses).toEqual([...Array(33).fill(404), 429]);
  await heavyDatabase.end();
});

/** POSTs that may be sent again as they are: events have ids, and an estimate is stored nowhere. */
const SAFE_AGAIN = /\/(events|estimate)$/;

test("the OpenAPI document names every operation, and says what the code takes", async () => {
  const { ask } = await openApi(books);
  const { paths, info } = inlined((await ask("GET", "/openapi.json")).body);
  const operations = Object.entries<Record<string, Operation>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^(list|get|create|set|update|delete)[A-Z]\w+$/.test(id))).toEqual([]);
  expect(ids).toEqual(
    expect.arrayContaining(["listAccountLots", "getAccountBalance", "createAccountGrant"]),
  );
  const posts = operations.filter(
    ({ method, path }) => method === "post" && !SAFE_AGAIN.test(path),
  );
  expect(posts.length).toBeGreaterThan(5);
  for (const { path, parameters = [] } of posts) {
    const header = parameters.find(({ name }) => name === "idempotency-key");
    expect([path, header?.schema.pattern]).toEqual([path, "^[\\x21-\\x7e]{1,200}$"]);
  }
  const { time } =
    paths["/v1/events"].post.requestBody.content["application/json"].schema.anyOf[0].properties;
  expect(JSON.stringify(time)).toContain('"null"');
  expect(info.description).toMatch(/405.*431/);
});

test("the OpenAPI document names every object that it describes, once", async () => {
  const { ask } = await openApi(books);
  const { paths, components } = (await ask("GET", "/openapi.json")).body;
  const schemas: Record<string, object> = components.schemas;
  const refs = JSON.stringify([paths, schemas]).matchAll(/"#\/components\/schemas\/(\w+)"/g);
  const names = [...refs].map(([, name = ""]) => name);
  expect([...new Set(names)].sort()).toEqual(Object.keys(schemas));
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining(["Balance", "Lot", "LotPage", "NewGrant", "Problem", "UsageEvent"]),
  );
  for (const schema of Object.values(schemas).flatMap((component) => Object.values(component))) {
    expect(JSON.stringify(schema)).not.toContain('"properties":{"');
  }
  expect(JSON.stringify(paths)).not.toContain('"properties":{"');
});

test("no two objects of the OpenAPI document have one name", () => {
  const titled = { title: "Lot page", type: "object" };
  const lots = { one: titled, same: { ...titled } };
  const $ref = "#/components/schemas/LotPage";
  expect(nameComponents({ paths: lots })).toEqual({
    paths: { one: { $ref }, same: { $ref } },
    components: { schemas: { LotPage: titled } },
  });
  const other = { ...titled, required: ["items"] };
  expect(() => nameComponents({ paths: { ...lots, other } })).toThrow("titled Lot page");
});

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly schema: { pattern?: string } }[];
}

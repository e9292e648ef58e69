/** Bad input is refused immediately, by the name of the field, and changes nothing. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { openPayer, sellCredits, use } from "../support/books/payers.ts";
import { openCatalogue } from "../support/books/subscribers.ts";
import { everyTable } from "../support/cli/every-table.ts";
import { makeKey, openServer, testServer } from "../support/processes/api.ts";
import { BAD_VALUES, type BodyRoute, badBodies, GOOD_BODIES } from "./bad-bodies.ts";

const WITHIN_MS = 1_000;
const ODD_IDS = ["a/b", `"';--`, "🦩 flamingo", "%2F", "ü".repeat(256), "x y+z?q#h"];
const PAGED = ["entries", "lots", "holds", "budgets", "top-ups", "payments", "usage-records"];

let books: Books;
let shared: Awaited<ReturnType<typeof openServer>>;
let app: Awaited<ReturnType<typeof testServer>>;
let key: string;
let published: number;

const client = {
  async publish() {
    published += 1;
    throw new Error("nothing of this is to be published");
  },
};
const SERVER = [{ usage: { client, window: DEFAULT_WINDOW } }, { requestWithinMs: 1_500 }] as const;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
  await openPayer(books, "acme", { credits: 5_000_000n });
  await openPayer(books, "acme-2", { credits: 5_000_000n });
  shared = await openServer(books, ...SERVER);
});

afterAll(async () => {
  await shared?.close();
  await books?.close();
});

beforeEach(async () => {
  published = 0;
  await beginWith(shared.app);
});

async function beginWith(server: typeof app): Promise<void> {
  app = server;
  key = await makeKey(books, ["admin"]);
  // The key's first use is recorded, and does not count as a change.
  expect((await ask({ method: "GET", url: "/v1/accounts" })).statusCode).toBe(200);
}

describe.each(Object.keys(GOOD_BODIES) as BodyRoute[])("%s refuses", (route) => {
  test.each(badBodies(route))("$what", async ({ payload, type = "application/json", ...told }) => {
    const headers = { "content-type": type, "idempotency-key": "k-1" };
    await refuses({ ...asked(route), payload, headers }, told);
  });
});

test("every route with a body is tested with bad ones", async () => {
  const { paths } = (await app.inject("/openapi.json")).json();
  const withBody = Object.entries<Record<string, { requestBody?: unknown }>>(paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods)
        .filter(([, { requestBody }]) => requestBody !== undefined)
        .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  const others = ["POST /v1/events", "POST /api/v1/events"];
  expect(withBody.sort()).toEqual([...Object.keys(GOOD_BODIES), ...others].sort());
});

test.each(BAD_VALUES)(
  "$route refuses $value as $field",
  async ({ route, field, value, status }) => {
    const [name = ""] = field.split(".");
    const payload = JSON.stringify({ ...GOOD_BODIES[route], [name]: value });
    const headers = { "content-type": "application/json" };
    await refuses({ ...asked(route), payload, headers }, { status: status ?? 400, field });
  },
);

test.each([
  ...ODD_IDS.map((id) => ({ id: encodeURIComponent(id), status: 404, field: "account_id" })),
  { id: "%00", status: 400, field: "account_id" },
  { id: "a%00b", status: 400, field: "account_id" },
  { id: "%EF%BF%BD", status: 400, field: "account_id" },
  { id: "x".repeat(257), status: 400, field: "account_id" },
  { id: "x".repeat(3_000), status: 414, field: "url" },
  { id: "%FF", status: 400, field: "url" },
  { id: "%zz", status: 400, field: "url" },
])("account $id is refused", async ({ id, status, field }) => {
  await refuses({ method: "GET", url: `/v1/accounts/${id}/balance` }, { status, field });
});

test("an id may contain anything that can be stored", async () => {
  for (const id of ODD_IDS) {
    await openAccount(books, id);
    const { statusCode } = await ask({ method: "GET", url: at(id, "/balance") });
    expect([id, statusCode]).toEqual([id, 200]);
  }
});

const pathOf = (path: string) =>
  path
    .replace("{account_id}", "nobody")
    .replace("{token_id}", "0123456789abcdef")
    .replace("{window}", "day")
    .replaceAll(/\{\w+\}/g, "one");

test("every route refuses an unknown account and names it", async () => {
  const { paths } = (await app.inject("/openapi.json")).json();
  for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
    if (!path.includes("{account_id}")) continue;
    for (const method of Object.keys(methods)) {
      const route = `${method.toUpperCase()} ${path}`;
      const body = Object.entries(GOOD_BODIES).find(([name]) => name === route)?.[1];
      const query = path.endsWith("/allowance") ? "?credits=1" : "";
      await refuses(
        {
          method: method.toUpperCase() as "GET",
          url: pathOf(path) + query,
          ...(body === undefined ? {} : { payload: body }),
        },
        { status: 404, field: "account_id" },
      );
    }
  }
});

test.each<{ url: string; field: string; status?: number }>([
  { url: "/usage?from=2026-02-30T00:00:00Z", field: "from" },
  { url: "/usage?from=yesterday", field: "from" },
  { url: "/usage?from=2026-01-01T00:00:00", field: "from" },
  { url: "/usage?from=1926-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", field: "from" },
  { url: "/usage?from=1970-01-01T00:00:00Z&to=2070-01-01T00:00:00Z", field: "from" },
  { url: "/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", field: "from" },
  { url: "/usage?from=2026-02-01T00:00:00Z&from=2026-03-01T00:00:00Z", field: "from" },
  { url: "/usage?to=10000-01-01T00:00:00Z", field: "to" },
  { url: "/usage?by=week", field: "by" },
  { url: "/usage?group=colour", field: "group" },
  { url: "/usage?group=dimension", field: "dimension" },
  { url: "/usage?dimension=model", field: "dimension" },
  { url: "/usage?group=dimension&dimension=%00", field: "dimension" },
  { url: "/usage?form=2026-01-01T00:00:00Z", field: "form" },
  { url: "/usage-records?meter=", field: "meter" },
  { url: "/usage-records?from=1926-01-01T00:00:00Z", field: "from" },
  { url: "/allowance", field: "credits" },
  { url: "/allowance?credits=-1", field: "credits" },
  { url: "/allowance?credits=1&meter=call", field: "credits" },
  { url: "/allowance?meter=call&quantity=-1", field: "credits" },
  { url: "/allowance?meter=call&quantity=many", field: "quantity" },
  { url: "/allowance?meter=none&quantity=1", field: "meter", status: 422 },
  { url: "/allowance?meter=call&quantity=1&dimensions=model", field: "dimensions" },
  { url: "/allowance?meter=call&quantity=1&dimensions=%7B%22a%22%3A1%7D", field: "dimensions" },
  { url: "/allowance?credits=1&dimensions=%7B%22a%22%3A%22%5Cu0000%22%7D", field: "dimensions" },
  { url: "/allowance?credits=1&dimensions=%7B%22__proto__%22%3A1%7D", field: "dimensions" },
  { url: "/lots?live=perhaps", field: "live" },
  { url: "/balance?at=2026-01-01T00:00:00Z", field: "at" },
  { url: "/runway?days=7", field: "days" },
  ...PAGED.flatMap((list) => [
    { url: `/${list}?limit=0`, field: "limit" },
    { url: `/${list}?limit=1001`, field: "limit" },
    { url: `/${list}?limit=-1`, field: "limit" },
    { url: `/${list}?limit=1.5`, field: "limit" },
    { url: `/${list}?limit=all`, field: "limit" },
    { url: `/${list}?limit=1&limit=2`, field: "limit" },
    { url: `/${list}?cursor=`, field: "cursor" },
    { url: `/${list}?cursor=nonsense`, field: "cursor" },
    { url: `/${list}?cursor=${"A".repeat(5_001)}`, field: "cursor" },
    { url: `/${list}?offset=1`, field: "offset" },
  ]),
])("GET $url is refused", async ({ url, field, status = 400 }) => {
  await refuses({ method: "GET", url: at("acme", url) }, { status, field });
});

test("an id of another form is refused in plain words", async () => {
  const asked = { method: "DELETE", url: "/v1/keys/nope" } as const;
  await refuses(asked, { status: 400, field: "key_id" });
  expect((await ask(asked)).json().detail).toBe("key_id: must match /^[0-9a-f]{16}$/");
});

test("a cursor of another list is refused", async () => {
  await use(books, { acme: 1n, "acme-2": 1n });
  await use(books, { acme: 1n, "acme-2": 1n });
  for (const [lot, credits] of [
    ["one", "1"],
    ["two", "2"],
  ]) {
    const payload = { lot_id: lot, credits };
    await ask({ method: "POST", url: at("acme", "/grants"), payload });
  }
  const lists = [
    "/v1/accounts",
    "/v1/dead-letters",
    ...PAGED.map((list) => at("acme", `/${list}`)),
  ];
  const cursors = new Map<string, string>();
  for (const url of lists) {
    const { next_cursor } = (await ask({ method: "GET", url: `${url}?limit=1` })).json();
    if (typeof next_cursor === "string") cursors.set(url, next_cursor);
  }
  expect(cursors.size).toBe(4);
  for (const [from, cursor] of cursors) {
    for (const url of lists) {
      const asked = { method: "GET", url: `${url}?cursor=${cursor}` } as const;
      if (from === url) expect((await ask(asked)).statusCode).toBe(200);
      else await refuses(asked, { status: 400, field: "cursor" });
    }
  }
});

test.each(["gzip", "br", "nonsense"])(
  "a body in the content encoding %s is refused",
  async (encoding) => {
    const headers = { "content-type": "application/json", "content-encoding": encoding };
    const payload = gzipSync('{"account_id":"packed"}');
    const told = { status: 415, field: "Content-Encoding" };
    await refuses({ method: "POST", url: "/v1/accounts", payload, headers }, told);
  },
);

const EVENT = { specversion: "1.0", id: "e", source: "s", type: "call", subject: "acme" };

test.each([
  { what: "broken JSON", payload: "{", field: "body" },
  { what: "nothing", payload: "", field: "body" },
  { what: "10 MB", payload: `"${"x".repeat(10_000_000)}"`, field: "body", status: 413 },
  { what: "text", payload: '"text"', field: "body" },
  { what: "no data", payload: JSON.stringify(EVENT), field: "data" },
  { what: "no event", payload: "[1]", field: "[0]" },
  { what: "XML", payload: "<a/>", type: "application/xml", field: "Content-Type", status: 415 },
  {
    what: "a day that does not exist",
    payload: JSON.stringify({ ...EVENT, time: "2026-02-30T00:00:00Z", data: { quantity: 1 } }),
    field: "time",
  },
  {
    what: "an account that cannot be",
    payload: JSON.stringify({ ...EVENT, subject: "a\0b", data: { quantity: 1 } }),
    field: "subject",
  },
])("ingest refuses $what", async ({ payload, type, field, status = 400 }) => {
  const headers = { "content-type": type ?? "application/json" };
  await refuses({ method: "POST", url: "/v1/events", payload, headers }, { status, field });
  expect(published).toBe(0);
});

describe("on the connection", () => {
  beforeEach(async () => {
    await beginWith(await testServer(books, ...SERVER));
  });

  const post = (rest: string) =>
    `POST /v1/accounts HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${rest}`;

  test("a body that arrives at a byte a second is cut off in time", async () => {
    const before = await everyTable(books);
    const startedAt = performance.now();
    const answer = await converse((write) => {
      write(post("Content-Length: 1000\r\n\r\n"));
      const dripping = setInterval(() => write(" "), 1_000);
      return () => clearInterval(dripping);
    });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(problemIn(answer)).toMatchObject({ status: 408, field: "body" });
    expect(await everyTable(books)).toEqual(before);
  });

  test("headers that never end are cut off in time", async () => {
    const answer = await converse((write) => {
      write("GET /v1/accounts HTTP/1.1\r\nHost: here\r\n");
      const dripping = setInterval(() => write("X-More: 1\r\n"), 300);
      return () => clearInterval(dripping);
    });
    expect(problemIn(answer)).toMatchObject({ status: 408 });
  });

  test.each([
    { what: "what is not HTTP", sent: () => "hello\r\n\r\n", status: 400 },
    { what: "headers of 64 KB", sent: () => post(`X: ${"x".repeat(65_536)}\r\n\r\n`), status: 431 },
    {
      what: "a body of 10 MB, by its Content-Length",
      sent: () => post("Content-Length: 10485760\r\n\r\n"),
      status: 413,
    },
    {
      what: "a body longer than its Content-Length",
      sent: () => post("Content-Length: 2\r\n\r\n{}xxxx\r\n\r\n"),
      status: 400,
    },
  ])("$what is refused", async ({ sent, status }) => {
    const answer = await converse((write) => {
      write(sent());
      return () => undefined;
    });
    expect(problemIn(answer)).toMatchObject({ status });
  });

  /** Sends bytes to the server, and returns everything it answers until it closes. */
  async function converse(say: (write: (bytes: string) => void) => () => void): Promise<string> {
    const origin = await app.listen({ port: 0, host: "127.0.0.1" });
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.on("error", () => undefined);
    const hush = say((bytes) => void (socket.writable && socket.write(bytes)));
    const closing = setTimeout(() => socket.destroy(), 5_000);
    const answer = await text(socket).catch(() => "");
    clearTimeout(closing);
    hush();
    return answer;
  }

  function problemIn(answer: string): unknown {
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect(head.toLowerCase()).toContain("content-type: application/problem+json");
    return JSON.parse(body);
  }
});

async function refuses(
  options: InjectOptions,
  { status, field }: { readonly status: number; readonly field: string },
): Promise<void> {
  const before = digest(await everyTable(books));
  const startedAt = performance.now();
  const answer = await ask(options);
  const took = performance.now() - startedAt;
  expect([answer.statusCode, answer.payload]).toEqual([status, expect.anything()]);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.json()).toMatchObject({
    status,
    field,
    type: expect.stringMatching(/^urn:drawdown:/),
    // In plain words, not those of the library.
    detail: expect.not.stringMatching(/Invalid |Too big|Too small|expected|NaN|undefined/),
  });
  expect(took).toBeLessThan(WITHIN_MS);
  expect(digest(await everyTable(books))).toBe(before);
}

function digest(tables: unknown): string {
  return createHash("sha256").update(JSON.stringify(tables)).digest("hex");
}

function ask(options: InjectOptions) {
  const headers = { authorization: `Bearer ${key}`, ...options.headers };
  return app.inject({ ...options, headers });
}

function asked(route: BodyRoute): { method: "POST" | "PATCH" | "PUT"; url: string } {
  const [method = "", path = ""] = route.split(" ");
  const url = path
    .replace("{account_id}", "acme")
    .replace("{add_on_id}", "voice")
    .replace("{payment_id}", "manual:1")
    .replace("{dimension}/{window}", "team/day")
    .replace("{topic}/{partition}/{offset}", "usage.events/0/1");
  return { method: method as "POST", url };
}

function at(account: string, rest: string): string {
  return `/v1/accounts/${encodeURIComponent(account)}${rest}`;
}

/**
 * Whatever is sent to the API, it answers soon, and never with a fault of its own: what it refuses is a
 * problem document, and changes nothing.
 */
import fc from "fast-check";
import type { InjectOptions } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Usage } from "../../../shared/client/usage-client.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { DEFAULT_WINDOW } from "../../../shared/core/usage/usage-event.ts";
import { readSecret } from "../../../shared/ledger/access/api-secrets.ts";
import { makeDashboardToken } from "../../../shared/ledger/access/make-access.ts";
import { type BodyRoute, GOOD_BODIES } from "../../api/bad-bodies.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openPayer, sellCredits, use } from "../../support/books/payers.ts";
import { openCatalogue } from "../../support/books/subscribers.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { makeKey, testServer } from "../../support/processes/api.ts";
import { fuzzing } from "../budget.ts";
import { soon } from "../in-time.ts";
import { mutantJsonOf, type Value } from "../mutant-values.ts";
import { mutantTextsOf } from "../mutants.ts";

const LISTS = [
  "entries",
  "lots",
  "payments",
  "usage-records",
  "settings/changes",
  "dashboard-tokens",
];
const EVENT = {
  ...{ specversion: "1.0", id: "e", source: "s", type: "call", subject: "acme" },
  data: { quantity: 1 },
};
const BODIES = { ...GOOD_BODIES, "POST /v1/events": EVENT, "POST /api/v1/events": EVENT };

let books: Books;
let app: Awaited<ReturnType<typeof testServer>>;
let key: string;
let token: string;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
  await openPayer(books, "acme", { credits: 50_000_000n });
  for (const quantity of [1n, 2n, 3n]) await use(books, { acme: quantity });
  key = await makeKey(books, ["admin"]);
  const { keyId } = readSecret(key) as { keyId: string };
  const asked = { keyId, forMs: 3_600_000, readOnly: false, now: Date.now() };
  const made = await makeDashboardToken(books.database, {
    accountId: toAccountId("acme"),
    ...asked,
  });
  token = made?.text ?? "";
});

afterAll(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

beforeEach(async () => {
  app = await testServer(books, { usage: { client: { publish }, window: DEFAULT_WINDOW } });
});

test("bodies", async () => {
  const asked = fc
    .constantFrom(...(Object.keys(BODIES) as (keyof typeof BODIES)[]))
    .chain((route) => {
      const good = fc.constant<Value>(BODIES[route]);
      const text = good.map((body) => JSON.stringify(body));
      return fc.record({
        route: fc.constant(route),
        payload: fc.oneof(mutantJsonOf(good), mutantTextsOf(text, ['"credits":', "1e3"])),
      });
    });
  let before = await everyTable(books);
  await fc.assert(
    fc.asyncProperty(asked, async ({ route, payload }) => {
      const [method, url] = toRequest(route);
      const headers = { "content-type": "application/json" };
      const status = await ask({ method, url, payload, headers });
      const after = await everyTable(books);
      if (status >= 400) expect(withoutUse(after)).toEqual(withoutUse(before));
      before = after;
    }),
    fuzzing(4),
  );
});

test("queries and cursors", async () => {
  const given = await cursorsOf(LISTS);
  const list = fc.constantFrom(...given).chain(({ url, cursor }) => {
    const inside = Buffer.from(cursor, "base64url").toString();
    const others = mutantTextsOf(fc.constant(inside), ['","', "9".repeat(18), "9".repeat(19), "-"]);
    const query = fc.oneof(
      others.map((text) => `limit=2&cursor=${Buffer.from(text).toString("base64url")}`),
      mutantTextsOf(fc.constant(`limit=2&cursor=${cursor}`), ["&from=", "&limit=", "%", "=", "["]),
    );
    return query.map((text) => `${url}?${text.replaceAll(/[^\x21-\x7e]/g, asPercent)}`);
  });
  await fc.assert(
    fc.asyncProperty(list, async (url) => {
      expect([200, 400, 414]).toContain(await ask({ method: "GET", url }));
    }),
    fuzzing(2),
  );
});

test("keys and tokens", async () => {
  const secret = mutantTextsOf(fc.constantFrom(key, token), ["ddt_", "ddr_", "_", "Bearer "]);
  await fc.assert(
    fc.asyncProperty(secret.map(toHeader), async (text) => {
      const headers = { authorization: `Bearer ${text}` };
      const status = await ask({ method: "GET", url: "/v1/accounts/acme/balance", headers });
      expect(status).toBe([key, token].includes(text.split(" ")[0] ?? "") ? 200 : 401);
    }),
    fuzzing(2),
  );
});

test("Idempotency-Keys", async () => {
  const url = "/v1/accounts/acme/adjustments";
  const keys = mutantTextsOf(fc.constantFrom("order-7", "0192f0c1-3b5a-7c3e-9d2f-0123456789ab"));
  await fc.assert(
    fc.asyncProperty(keys.map(toHeader), fc.integer({ min: 1, max: 99 }), async (text, credits) => {
      const headers = { "idempotency-key": text, authorization: `Bearer ${key}` };
      const post = (amount: number) =>
        app.inject({
          method: "POST",
          url,
          headers,
          payload: { credits: `${amount}`, reference: "r" },
        });
      const first = await post(credits);
      expect(first.statusCode).toBe(/^[!-~]{1,200}$/.test(text) ? first.statusCode : 400);
      if (first.statusCode === 400) return;
      const again = await post(credits);
      expect([again.statusCode, again.payload]).toEqual([first.statusCode, first.payload]);
      expect((await post(credits + 100)).statusCode).toBe(409);
    }),
    fuzzing(5),
  );
});

/** The status of an answer, which is none of a fault. */
async function ask(options: InjectOptions): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, ...options.headers };
  const answer = await soon(() => app.inject({ ...options, headers }));
  expect([answer.statusCode < 500, answer.payload]).toEqual([true, answer.payload]);
  if (answer.statusCode >= 400) {
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({ status: answer.statusCode, detail: expect.anything() });
  }
  return answer.statusCode;
}

function toRequest(route: keyof typeof BODIES): ["POST" | "PATCH" | "PUT", string] {
  const [method = "", path = ""] = (route as BodyRoute).split(" ");
  const url = path
    .replace("{account_id}", "acme")
    .replace("{add_on_id}", "voice")
    .replace("{payment_id}", "manual:1")
    .replace("{topic}/{partition}/{offset}", "usage.events/0/1");
  return [method as "POST", url];
}

/** The cursors that lists give, each with its list. */
async function cursorsOf(lists: readonly string[]) {
  const urls = ["/v1/accounts", "/v1/dead-letters", "/v1/payments"];
  const given: { url: string; cursor: string }[] = [];
  for (const url of [...urls, ...lists.map((list) => `/v1/accounts/acme/${list}`)]) {
    const headers = { authorization: `Bearer ${key}` };
    const { next_cursor } = (await app.inject({ url: `${url}?limit=1`, headers })).json();
    given.push({ url, cursor: next_cursor ?? Buffer.from('["x","0"]').toString("base64url") });
  }
  return given;
}

/** A key's last use is recorded, and does not count as a change. */
function withoutUse({ api_key: _, ...tables }: Record<string, string[]>) {
  return tables;
}

/** As HTTP may carry it. */
function toHeader(text: string): string {
  return text
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "")
    .trim()
    .slice(0, 4_000);
}

function asPercent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Takes usage without Kafka. */
async function publish(usage: Usage): Promise<UsageEvent> {
  const { eventId = "e", source = "", dimensions = {}, quantity } = usage;
  const occurredAt = Number(usage.occurredAt);
  const quantities = Object.fromEntries(
    Object.entries(usage.quantities ?? {}).map(([meter, each]) => [meter, BigInt(each)]),
  );
  const used = { quantity: BigInt(quantity), quantities, holdId: usage.holdId ?? null };
  return { ...usage, eventId, occurredAt, source, dimensions, ...used };
}

/** The client of the API: its requests are in the document, and it works with the real server. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ApiProblem, openApiClient, type StreamEvent } from "../../shared/client/api-client.ts";
import { OPERATIONS } from "../../shared/client/api-operations.ts";
import type { openUsageClient } from "../../shared/client/usage-client.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { openPayer, sellCredits, use } from "../support/books/payers.ts";
import { openCatalogue } from "../support/books/subscribers.ts";
import { inlined } from "../support/inlined.ts";
import { makeKey, testServer } from "../support/processes/api.ts";
import { publishPending, serveLive } from "../support/processes/live-server.ts";

const named = (name: string) => `api-client-${randomBytes(4).toString("hex")}-${name}`;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
});

afterAll(async () => {
  await books?.close();
});

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

test("all its requests are in the OpenAPI document, with every field that it reads", async () => {
  const app = await testServer(books);
  const { paths } = inlined((await app.inject("/openapi.json")).json());
  for (const [name, { method, path, answer }] of Object.entries(OPERATIONS)) {
    const { responses = {} } = paths[path]?.[method.toLowerCase()] ?? {};
    const told = responses["200"] ?? responses["201"] ?? responses["202"];
    const reads: JsonSchema = JSON.parse(JSON.stringify(z.toJSONSchema(answer, { io: "input" })));
    expect([name, missingIn(told?.content["application/json"].schema, reads, name)]).toEqual([
      name,
      [],
    ]);
  }
});

/** The fields that are read but not promised by a schema; those without which an answer is read, too, need not be. */
function missingIn(schema: JsonSchema | undefined, reads: JsonSchema, at: string): string[] {
  if (schema === undefined) return [at];
  const read = insideOf(reads);
  const { properties, required } = insideOf(schema);
  return Object.entries(read.properties ?? {}).flatMap(([name, field]) => {
    if (!read.required?.includes(name)) return [];
    return required?.includes(name)
      ? missingIn(properties?.[name], field, `${at}.${name}`)
      : [`${at}.${name}`];
  });
}

/** The items of a list, and the value where it may be null. */
function insideOf(schema: JsonSchema): JsonSchema {
  const inside = schema.anyOf?.find(({ type }) => type !== "null") ?? schema.items;
  return inside === undefined ? schema : insideOf(inside);
}

test("credits are set aside, extended, captured and released", async () => {
  const api = await openClient();
  const account = named("held");
  await openAccount(books, account, { lots: [{ credits: 100n }] });
  const made = await api.hold(account, { holdId: "a/b", credits: 60n, ttlSeconds: 60 });
  expect(made).toMatchObject({ status: "open", credits: 60n, held: 60n });
  expect(await api.hold(account, { holdId: "a/b", credits: 60n, ttlSeconds: 60 })).toEqual(made);
  await expect(api.hold(account, { holdId: "more", credits: 41n })).rejects.toMatchObject({
    ...{ status: 402, code: "insufficient_credits" },
  });
  const extended = await api.extendHold(account, "a/b", 600);
  expect(extended.expiresAt.getTime()).toBeGreaterThan(made.expiresAt.getTime());
  expect(await api.captureHold(account, "a/b", 50n)).toMatchObject({ captured: 50n, held: 50n });
  expect(await api.showHold(account, "a/b")).toMatchObject({ status: "captured" });
  await api.hold(account, { holdId: "rest", credits: 50n });
  expect(await api.releaseHold(account, "rest")).toMatchObject({ status: "released", held: 0n });
  expect(await api.balance(account)).toMatchObject({ balance: 100n, held: 50n, available: 50n });
});

async function openClient() {
  const app = await testServer(books);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return openApiClient({ url: `${url}/`, key: await makeKey(books, ["admin"]) });
}

test("an account is opened, given credits, and read", async () => {
  const api = await openClient();
  const account = named("a?ü");
  const opened = await api.createAccount(account, { timeZone: "Europe/Berlin", threshold: 5n });
  expect(opened).toMatchObject({ accountId: account, timeZone: "Europe/Berlin", threshold: 5n });
  expect(opened.createdAt).toBeInstanceOf(Date);
  const expiresAt = new Date(Date.now() + 3_600_000);
  const gift = { credits: 7_000_000n, reference: "welcome", expiresAt, idempotencyKey: "gift" };
  const granted = await api.grant(account, gift);
  expect(granted).toMatchObject({ credits: 7_000_000n, balance: 7_000_000n });
  expect(await api.grant(account, gift)).toEqual(granted);
  await api.adjust(account, { credits: -1_000_000n, reference: "ticket 7" });
  expect((await api.balance(account)).balance).toBe(6_000_000n);
  const { items } = await api.lots(account, { live: true });
  expect(items).toMatchObject([{ remaining: 6_000_000n, reference: "welcome", expiresAt }]);
  const first = await api.entries(account, { limit: 1 });
  const second = await api.entries(account, { limit: 1, cursor: first.nextCursor ?? "" });
  expect([...first.items, ...second.items].map(({ kind }) => kind)).toEqual([
    "adjustment",
    "grant",
  ]);
  expect(second.nextCursor).toBe(null);
});

test("a date or number that is none is not sent: as null, a lot would never end", async () => {
  const api = await openClient();
  const account = named("no-date");
  await api.createAccount(account);
  const gift = { credits: 1n, expiresAt: new Date("soon") };
  await expect(api.grant(account, gift)).rejects.toThrow("expires_at is not a date");
  await expect(api.grant(account, { ...gift, expiresAt: Number.NaN })).rejects.toThrow(TypeError);
  const minutes = Number.POSITIVE_INFINITY;
  await expect(api.dashboardToken(account, { minutes })).rejects.toThrow("minutes is Infinity");
  const from = new Date(Number.NaN);
  await expect(api.usage(account, { from })).rejects.toThrow("from is not a date");
  expect((await api.lots(account)).items).toEqual([]);
});

test("an allowance is checked, and usage is read", async () => {
  const api = await openClient();
  const account = named("used");
  await openAccount(books, account, { lots: [{ credits: 100_000_000n }] });
  await use(books, { [account]: 40n });
  const may = await api.allowance(account, { credits: 60_000_000n });
  expect(may).toMatchObject({ allowed: true, reason: "enough", balance: 60_000_000n });
  const mayNot = await api.allowance(account, { meter: "call", quantity: 61 });
  expect(mayNot).toMatchObject({ allowed: false, cost: 61_000_000n });
  await setBudgetOf(books, account, "agent", { value: "anna", credits: 5_000_000n });
  const dimensions = { agent: "anna", name: 'a & "b"' };
  const overBudget = await api.allowance(account, { credits: 6_000_000n, dimensions });
  expect(overBudget).toMatchObject({ allowed: false, reason: "budget_used_up" });
  const to = Date.now() + 60_000;
  const usage = await api.usage(account, { from: new Date(to - 3_600_000), to, by: "hour" });
  expect(usage.total).toBe(40_000_000n);
  expect(usage.buckets).toMatchObject([{ key: "call", credits: 40_000_000n, events: 1n }]);
  const { items } = await api.usageRecords(account, { meter: "call" });
  expect(items).toMatchObject([{ quantity: 40n, credits: 40_000_000n }]);
});

test("usage is estimated, of an account and of none", async () => {
  const api = await openClient();
  const account = named("estimates");
  await openAccount(books, account, { lots: [{ credits: 5_000_000n }] });
  const occurredAt = Date.now();
  const calls = { meter: "call", quantity: 3, dimensions: { model: "large" }, occurredAt };
  const estimate = await api.estimate([calls, { meter: "none", quantity: 2n ** 60n }]);
  expect(estimate).toMatchObject({ most: 3_000_000n, unpriced: 1, balance: null, covered: null });
  expect(estimate.lines).toMatchObject([
    { quantity: 3n, least: 3_000_000n, occurredAt: new Date(occurredAt), reason: null },
    { quantity: 2n ** 60n, least: null, rate: null, reason: "unknown_meter" },
  ]);
  const own = await api.estimate([calls, calls], { accountId: account });
  expect(own).toMatchObject({ accountId: account, balance: 5_000_000n, covered: false });
});

test("a plan is subscribed to, a top-up is made, a dashboard link is created", async () => {
  const api = await openClient();
  const account = named("payer");
  await openPayer(books, account);
  const { subscription } = await api.subscribe(account, { planId: "hundred", interval: "year" });
  expect(subscription).toMatchObject({ planId: "hundred", periodCredits: 100_000_000n });
  const made = await api.topUp(account, { amount: 1_500n });
  expect(made).toMatchObject({ status: "pending", amount: 1_500n, currency: "USD" });
  expect((await api.topUps(account)).items).toEqual([{ ...made, refunded: 0n }]);
  const { token, expiresAt } = await api.dashboardToken(account, { minutes: 5 });
  expect(token).toMatch(/^ddt_/);
  expect(expiresAt.getTime()).toBeGreaterThan(Date.now());
  expect((await api.account(account)).subscription?.interval).toBe("year");
});

test("a refusal has its code and field", async () => {
  const api = await openClient();
  const refusal = await api.balance("nobody").catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ApiProblem);
  expect(refusal).toMatchObject({ status: 404, code: "unknown_account", field: "account_id" });
  const { url } = { url: "http://127.0.0.1:9" };
  await expect(openApiClient({ url, key: "k" }).balance("a")).rejects.toThrow(TypeError);
});

test("usage is ingested; what is refused is named", async () => {
  const sent: unknown[] = [];
  const client: Pick<ReturnType<typeof openUsageClient>, "publish"> = {
    async publish({
      accountId,
      meter,
      quantity,
      dimensions = {},
      eventId = "",
      source = "",
      quantities,
      holdId = null,
    }) {
      const event = { accountId, meter, quantity: BigInt(quantity), dimensions, eventId, source };
      sent.push({ ...event, quantities, holdId });
      return { ...event, occurredAt: 0, quantities: {}, holdId };
    },
  };
  const app = await testServer(books, { usage: { client, window: DEFAULT_WINDOW } });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const api = openApiClient({ url, key: await makeKey(books, ["ingest"]) });
  const answer = await api.ingest(
    [
      { accountId: "acme", meter: "call", quantity: 2n ** 60n, dimensions: { model: "gpt-5" } },
      {
        accountId: "acme",
        meter: "input",
        quantity: 7,
        quantities: { cached: 5, output: 2n ** 60n },
      },
      { accountId: "acme", meter: "call", quantity: -1, eventId: "bad" },
    ],
    { source: "shop" },
  );
  expect(answer).toMatchObject({
    accepted: 2,
    rejected: [{ index: 2, id: "bad", reason: "negative_quantity", field: "data.quantity" }],
  });
  expect(sent).toMatchObject([
    { accountId: "acme", quantity: 2n ** 60n, source: "shop", dimensions: { model: "gpt-5" } },
    { meter: "input", quantity: 7n, quantities: { cached: 5n, output: 2n ** 60n } },
  ]);
});

test("a url with a password is refused, and the error does not show it", () => {
  const open = () => openApiClient({ url: "http://proxy:hushhush@127.0.0.1:1", key: "unused" });
  expect(open).toThrow(/^the API's url must not have a user or password; the key is `key`$/);
});

test.each(["hushhush\nhushhush", "\nhushhush", "hushhush…"])(
  "the key %j is refused, and the error does not show it; a line's end is left out",
  async (key) => {
    const url = "http://127.0.0.1:1";
    expect(() => openApiClient({ url, key })).toThrow(/^the API's key has a character/);
    const asked = openApiClient({ url, key: "hushhush\n" }).balance("a");
    await expect(asked).rejects.toThrow("fetch failed");
  },
);

test.each(["quantity", "quantities", "hold_id"])(
  "a dimension called %s is refused: it would be lost, or taken for the event's own",
  async (name) => {
    const api = openApiClient({ url: "http://127.0.0.1:1", key: "unused" });
    const usage = { accountId: "acme", meter: "call", quantity: 1, dimensions: { [name]: "x" } };
    await expect(api.ingest([usage])).rejects.toThrow(`a dimension cannot be called ${name} here`);
  },
);

test("an account is followed, across a lost connection, until the loop is left", async () => {
  const { origin: url, key, loseConnections } = await serveLive(books);
  const api = openApiClient({ url, key });
  const account = named("followed");
  await api.createAccount(account);
  const told: StreamEvent[] = [];
  for await (const event of api.stream(account)) {
    told.push(event);
    if (told.length === 1) {
      await api.grant(account, { credits: 5n, lotId: "live" });
      await publishPending(books);
    }
    const isAll = event.event === "balance" && event.data.balance === 5n;
    if (isAll && told.some(isEntry("live")) && !told.some(isEntry("missed"))) {
      await api.grant(account, { credits: 1n, lotId: "missed" });
      loseConnections();
      await publishPending(books);
    }
    if (told.some(isEntry("missed"))) break;
  }
  expect(told[0]).toMatchObject({ event: "balance", data: { accountId: account, balance: 0n } });
  expect(told.filter(({ event }) => event === "credits")).toMatchObject([
    { data: { lotId: "live", credits: 5n, postedAt: expect.any(Date) } },
    { data: { lotId: "missed", credits: 1n } },
  ]);
  await expect(api.stream("nobody").next()).rejects.toMatchObject({ code: "unknown_account" });
});

function isEntry(lotId: string) {
  return ({ event, data }: StreamEvent) => event === "credits" && data.lotId === lotId;
}

/** The live stream of an account, from the books through Kafka to its readers. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { API_SERVICE } from "../../infra/local/services.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openPublisher } from "../../shared/kafka/publish/publisher.ts";
import { revokeApiKey } from "../../shared/ledger/access/api-keys.ts";
import {
  listDashboardTokens,
  revokeDashboardToken,
} from "../../shared/ledger/access/dashboard-tokens.ts";
import { makeApiKey, makeDashboardToken } from "../../shared/ledger/access/make-access.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { topUpByHand } from "../../shared/ledger/payments/top-up-account.ts";
import { inTransaction } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { openPayer, sellCredits, use } from "../support/books/payers.ts";
import { eventually } from "../support/eventually.ts";
import { dismissMembers } from "../support/kafka/dismiss-members.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { malformedRecords } from "../support/kafka/malformed-records.ts";
import { makeKey, testServer } from "../support/processes/api.ts";
import { publishPending, serveLive } from "../support/processes/live-server.ts";
import { startService } from "../support/processes/service-process.ts";
import { openStream, type StreamEvent } from "../support/processes/stream-reader.ts";

const run = randomBytes(4).toString("hex");
/** The topics are shared, so the account names are unique. */
const named = (name: string) => `stream-${run}-${name}`;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
});

afterAll(async () => {
  await books?.close();
});

test("the current balance comes first, then what happens: usage, a grant, a top-up", async () => {
  const account = named("all");
  await openPayer(books, account, { credits: 1_000_000n });
  const { origin, key } = await serveLive(books);
  const stream = await openStream(origin, { account, key });
  const first = await stream.hears("the balance", isAny);
  expect(first).toMatchObject({
    event: "balance",
    data: { account_id: account, balance: "1000000", granted: "1000000", position: "0" },
  });

  await use(books, { [account]: 400n });
  await publishPending(books);
  await stream.hears("the debit", isBalance("999600"));

  await grant(account, "gift", 50n);
  await publishPending(books);
  const granted = await stream.hears("the grant", isEntry("gift"));
  expect(granted.data).toMatchObject({ kind: "grant", credits: "50", balance: "999650" });
  expect(granted.data["posted_at"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  await stream.hears("the balance after it", isBalance("999650"));

  await topUp(account, "manual:1");
  await publishPending(books);
  const topped = await stream.hears("the top-up", ({ event }) => event === "top_up");
  expect(topped.data).toMatchObject({ top_up_id: "manual:1", status: "pending", amount: "1000" });
});

test("the balance comes again when a lot ends, which no record reports", async () => {
  const account = named("ends");
  const expiresAt = Date.now() + 3_000;
  const at = expiresAt - 60_000;
  await openAccount(books, account, { lots: [{ credits: 10n, expiresAt }, { credits: 2n }], at });
  const { origin, key } = await serveLive(books);
  const stream = await openStream(origin, { account, key });
  const first = await stream.hears("the balance", isBalance("12"));
  const ended = await stream.hears("the balance without the lot", isBalance("2"));
  expect(ended.data).toMatchObject({ ended: "10", granted: "12", position: "0" });
  expect(ended.data["version"]).toBe(first.data["version"]);
  // Of the last change, not of the time at which the stream was opened.
  expect(first.data["changed_at"]).toBe(new Date(at).toISOString());
  expect(ended.data["changed_at"]).toBe(new Date(expiresAt).toISOString());
});

test("what Kafka delivers twice is sent once", async () => {
  const account = named("twice");
  await openAccount(books, account, { lots: [{ credits: 10n }] });
  await publishPending(books);
  const { origin, key } = await serveLive(books);
  const stream = await openStream(origin, { account, key });
  for (const lot of ["a", "b"]) {
    await grant(account, lot, 1n);
    await publishPending(books, 3);
    await stream.hears("the entry", isEntry(lot));
  }
  await stream.hears("the last", isBalance("12"));
  await grant(account, "end", 1n);
  await publishPending(books);
  await stream.hears("the end", isEntry("end"));
  await stream.hears("the end", isBalance("13"));
  expect(entriesOf(stream.events)).toEqual(["a", "b", "end"]);
  expect(balancesOf(stream.events)).toEqual(["10", "11", "12", "13"]);
});

test("a reader resumes where it was, and receives each entry once", async () => {
  const account = named("resumed");
  await openAccount(books, account, { lots: [{ credits: 10n }] });
  const { origin, key } = await serveLive(books);
  const before = await openStream(origin, { account, key });
  await before.hears("the balance", isAny);
  await grant(account, "heard", 1n);
  await publishPending(books);
  await before.hears("the balance", isBalance("11"));
  await before.hears("the entry", isEntry("heard"));
  before.close();

  for (const lot of ["missed-1", "missed-2"]) await grant(account, lot, 1n);
  await publishPending(books);
  const lastId = before.events.at(-1)?.id ?? "";
  const after = await openStream(origin, { account, key, lastId });
  await after.hears("the balance", isBalance("13"));
  await grant(account, "live", 1n);
  await publishPending(books);
  await after.hears("what comes then", isEntry("live"));
  expect(entriesOf(after.events)).toEqual(["missed-1", "missed-2", "live"]);
  expect(after.events.some(({ event }) => event === "reload")).toBe(false);
});

test("a reader resumes at another process", async () => {
  const account = named("elsewhere");
  await openAccount(books, account, { lots: [{ credits: 10n }] });
  const here = await serveLive(books);
  const before = await openStream(here.origin, { account, key: here.key });
  const { id: lastId } = await before.hears("the balance", isAny);
  before.close();
  await grant(account, "missed", 1n);
  await publishPending(books);

  const env = { ...process.env, DATABASE_URL: books.url, API_PORT: "0" };
  const process2 = startService(API_SERVICE, env);
  try {
    const origin = String((await process2.says(/^serving$/, 40_000))["address"]);
    const after = await openStream(origin, { account, key: here.key, lastId });
    await after.hears("what was missed", isEntry("missed"));
    await grant(account, "live", 1n);
    await publishPending(books);
    await after.hears("what comes then", isEntry("live"));
    expect(entriesOf(after.events)).toEqual(["missed", "live"]);
  } finally {
    expect(await process2.stop()).toBe(0);
  }
});

test("a reader that missed too much is told to reload", async () => {
  const account = named("much");
  await openAccount(books, account);
  const { origin, key } = await serveLive(books);
  const before = await openStream(origin, { account, key });
  const { id: lastId } = await before.hears("the balance", isAny);
  before.close();
  for (let at = 0; at < 101; at += 1) await grant(account, `lot-${at}`, 1n);
  const after = await openStream(origin, { account, key, lastId });
  await after.hears("the end", ({ event }) => event === "reload");
  expect(after.events.map(({ event }) => event)).toEqual(["balance", "reload"]);
  expect(after.events[0]?.data["balance"]).toBe("101");

  const again = await openStream(origin, { account, key, lastId: after.events[1]?.id ?? "" });
  await again.hears("the balance", isBalance("101"));
  await grant(account, "live", 1n);
  await publishPending(books);
  await again.hears("what comes then", isEntry("live"));
  expect(entriesOf(again.events)).toEqual(["live"]);
});

test("a reader receives a top-up that it missed", async () => {
  const account = named("missed-top-up");
  await openPayer(books, account);
  const { origin, key } = await serveLive(books);
  const before = await openStream(origin, { account, key });
  const { id: lastId } = await before.hears("the balance", isAny);
  await topUp(account, "manual:1");
  const after = await openStream(origin, { account, key, lastId });
  const { data } = await after.hears("that", ({ event }) => event === "top_up");
  expect(data).toMatchObject({ top_up_id: "manual:1", status: "pending", amount: "1000" });
  await after.hears("the balance", ({ event }) => event === "balance");
  expect(after.events).toHaveLength(2);
});

test("a reader is told to reload after restored books", async () => {
  const account = named("again");
  await openPayer(books, account);
  const { origin, key } = await serveLive(books);
  const after = await openStream(origin, { account, key, lastId: "9.9.9" });
  const { id } = await after.hears("that", ({ event }) => event === "reload");
  expect(id).toBe("2.1.0");
  await expect(openStream(origin, { account, key, lastId: "17" })).rejects.toThrow(/Last-Event-ID/);
});

test("a reader receives what the consumer has missed, and then everything", async () => {
  const account = named("gap");
  await openAccount(books, account, { lots: [{ credits: 10n }] });
  const kafka = testKafka();
  const consumers = vi.spyOn(kafka, "consumer");
  const { origin, key } = await serveLive(books, kafka);
  const stream = await openStream(origin, { account, key });
  await stream.hears("the balance", isAny);
  const group = consumers.mock.calls[0]?.[0]?.groupId ?? "";
  expect(await dismissMembers(kafka, process.env["KAFKA_BROKERS"] ?? "", group)).toHaveLength(1);
  await grant(account, "in-between", 1n);
  await publishPending(books);
  await stream.hears("what was missed", isEntry("in-between"), 40_000);
  await grant(account, "after", 1n);
  await publishPending(books);
  await stream.hears("what comes then", isEntry("after"));
  await stream.hears("what comes then", isBalance("12"));
});

test("one consumer serves all readers, each with its own account", async () => {
  const mine = named("mine");
  const theirs = named("theirs");
  for (const account of [mine, theirs]) await openAccount(books, account);
  const kafka = testKafka();
  const consumers = vi.spyOn(kafka, "consumer");
  const { origin, key, listeners } = await serveLive(books, kafka);
  const open = (account: string) => openStream(origin, { account, key });
  const streams = await Promise.all(Array.from({ length: 20 }, () => open(mine)));
  const other = await open(theirs);
  expect(listeners.count).toBe(21);
  await grant(mine, "mine", 7n);
  await publishPending(books);
  await Promise.all(streams.map((stream) => stream.hears("the grant", isEntry("mine"))));
  await grant(theirs, "theirs", 1n);
  await publishPending(books);
  await other.hears("the grant", isEntry("theirs"));
  expect(entriesOf(other.events)).toEqual(["theirs"]);
  expect(new Set(other.events.map(({ data }) => data["account_id"]))).toEqual(new Set([theirs]));
  expect(streams.flatMap(({ events }) => entriesOf(events))).toEqual(streams.map(() => "mine"));
  expect(consumers).toHaveBeenCalledTimes(1);
  for (const stream of [...streams, other]) stream.close();
  await eventually("nobody is told any more", () => listeners.count === 0);
});

test("a reader that does not keep up is disconnected, and delays no other", async () => {
  const account = named("slow");
  await openAccount(books, account);
  const { origin, key, listeners } = await serveLive(books);
  const reader = await openStream(origin, { account, key });
  await reader.hears("the balance", isAny);
  const slow = connect(Number(new URL(origin).port), "127.0.0.1");
  slow.write(
    `GET /v1/accounts/${account}/stream HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${key}\r\n\r\n`,
  );
  slow.pause();
  await eventually("both listen", () => listeners.count === 2);
  await grant(account, "first", 1n);
  let heard = 1;
  await eventually("it is let go", async () => {
    await postLongEntries(account);
    heard += 10;
    listeners.onChange(toAccountId(account));
    await reader.hears("all of it", ({ id }) => id.endsWith(`.${heard}.0`));
    return listeners.count === 1;
  });
  slow.destroy();
  expect(reader.events.filter(({ event }) => event === "reload")).toEqual([]);
});

test("a forged record shows nothing and hides nothing", async () => {
  const account = named("books");
  await openPayer(books, account, { credits: 10n });
  const { origin, key } = await serveLive(books);
  const stream = await openStream(origin, { account, key });
  const first = await stream.hears("the balance", isBalance("10"));
  const huge = 9_000_000_000_000_000_000n;
  const [state, note] = [
    { account_id: account, version: huge, granted: huge, position: 0n, balance: huge },
    { account_id: account, reference: "forged", lot_id: "forged" },
  ];
  const at = Date.now();
  await forge([
    { topic: TOPICS.balances, record: { ...state, changed_at: at } },
    {
      topic: TOPICS.credits,
      record: {
        ...{ ...note, sequence: huge, kind: "grant", credits: huge, balance: huge },
        ...{ posted_at: at, due_at: null },
      },
    },
    {
      topic: TOPICS.topUps,
      record: {
        ...{ account_id: account, top_up_id: "forged", status: "succeeded", amount: 1n },
        ...{ currency: "USD", credits: huge, reason: "", changed_at: at },
      },
    },
  ]);
  await grant(account, "true", 1n);
  await topUp(account, "manual:1");
  await publishPending(books);
  await stream.hears("the entry", isEntry("true"));
  await stream.hears("the balance", isBalance("11"));
  await stream.hears("the top-up", ({ event }) => event === "top_up");
  expect(JSON.stringify(stream.events)).not.toMatch(/forged|90000000/);
  const { id } = stream.events.at(-1) ?? first;
  expect(id).toMatch(/^\d\.\d\.1$/);

  async function forge(
    records: readonly { topic: string; record: Record<string, unknown> }[],
  ): Promise<void> {
    const { registry } = readSettings(process.env);
    const publisher = openPublisher(testKafka(), openRegistry(registry));
    await publisher.publish(records.map((of) => ({ ...of, key: account, sequence: huge })));
    await publisher.close();
  }
});

test("no malformed record ends the stream; what names no account is counted", async () => {
  const account = named("malformed");
  await openAccount(books, account, { lots: [{ credits: 10n }] });
  const { origin, key, skipped } = await serveLive(books);
  const stream = await openStream(origin, { account, key });
  await stream.hears("the balance", isBalance("10"));
  const producer = await rawProducer(testKafka());
  const topics = [TOPICS.balances, TOPICS.credits, TOPICS.topUps];
  await producer.sendBatch({
    topicMessages: topics.map((topic) => ({
      topic,
      // Kafka itself refuses a record without a key on a compacted topic.
      messages: malformedRecords(account).filter(
        ({ key }) => key !== null || topic !== TOPICS.balances,
      ),
    })),
  });
  await producer.disconnect();
  await grant(account, "after", 1n);
  await publishPending(books);
  await stream.hears("what comes then", isEntry("after"));
  await stream.hears("its balance", isBalance("11"));
  expect(stream.events.filter(({ event }) => event === "reload")).toEqual([]);
  await eventually("all are counted", () => skipped.counts().length === 5);
  for (const { topic, reason, count } of skipped.counts()) {
    expect(topics).toContain(topic);
    expect([reason, count]).toEqual(reason === "no_key" ? ["no_key", 1] : ["no_account_id", 3]);
  }
});

test("a reader that leaves while the books are read is removed", async () => {
  const account = named("hasty");
  await openAccount(books, account);
  const { origin, key, listeners } = await serveLive(books);
  // So that the key is cached, and only the account is waited for.
  (await openStream(origin, { account, key })).close();
  await eventually("nobody listens", () => listeners.count === 0);
  await inTransaction(books.database, async (transaction) => {
    await transaction.query("LOCK TABLE account IN ACCESS EXCLUSIVE MODE");
    const hasty = new AbortController();
    const asked = fetch(`${origin}/v1/accounts/${account}/stream`, {
      headers: { authorization: `Bearer ${key}` },
      signal: hasty.signal,
    });
    await eventually("it is waited for", () => listeners.count === 1);
    hasty.abort();
    await expect(asked).rejects.toThrow();
    await eventually("it is forgotten", () => listeners.count === 0);
  });
  await wait(100);
  expect(listeners.count).toBe(0);
});

test("a stream ends with its token", async () => {
  const account = named("token");
  await openAccount(books, account);
  const { origin, listeners } = await serveLive(books);
  const asked = { name: "embeds", scopes: [], createdBy: "test", now: Date.now() };
  const { keyId } = await makeApiKey(books.database, asked);
  const lease = {
    accountId: toAccountId(account),
    keyId,
    forMs: 2_000,
    readOnly: false,
    now: Date.now(),
  };
  const token = await makeDashboardToken(books.database, lease);
  const key = token?.text ?? "";
  const stream = await openStream(origin, { account, key });
  await stream.hears("the balance", isAny);
  await stream.ended;
  expect(Date.now()).toBeGreaterThanOrEqual((token?.expiresAt ?? 0) - 50);
  await eventually("it is forgotten", () => listeners.count === 0);
  await expect(openStream(origin, { account, key })).rejects.toThrow(/401/);
});

test.each(["key", "token"])("a stream ends within seconds of its %s's revocation", async (kind) => {
  const account = named(`revoked ${kind}`);
  await openAccount(books, account);
  const { origin, listeners } = await serveLive(books);
  const accountId = toAccountId(account);
  const by = { now: Date.now(), by: "test" };
  const asked = { name: "ends", scopes: ["read"], createdBy: "test", now: Date.now() } as const;
  const made = await makeApiKey(books.database, asked);
  const lease = { accountId, keyId: made.keyId, forMs: 600_000, readOnly: true, now: Date.now() };
  const token = (await makeDashboardToken(books.database, lease))?.text ?? "";
  const stays = await openStream(origin, { account, key: await makeKey(books, ["read"]) });
  const stream = await openStream(origin, { account, key: kind === "key" ? made.text : token });
  await stream.hears("the balance", isAny);
  if (kind === "key") await revokeApiKey(books.database, made.keyId, by);
  else {
    const [{ tokenId } = { tokenId: "" }] = await listDashboardTokens(books.database, {
      ...{ accountId, now: Date.now(), limit: 1 },
    });
    await revokeDashboardToken(books.database, { accountId, tokenId }, by);
  }
  const revokedAt = Date.now();
  await stream.ended;
  expect(Date.now() - revokedAt).toBeLessThan(5_000);
  expect(listeners.count).toBe(1);
  stays.close();
});

test("an account has so many streams, and another is refused with 429", async () => {
  const [full, other] = [named("full"), named("other")];
  await openAccount(books, full);
  await openAccount(books, other);
  const app = await testServer(books, {}, { streamsPerAccount: 2 });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  const key = await makeKey(books, ["read"]);
  const open = [await openStream(origin, { account: full, key })];
  open.push(await openStream(origin, { account: full, key }));
  const headers = { authorization: `Bearer ${key}` };
  const refused = await fetch(`${origin}/v1/accounts/${full}/stream`, { headers });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
  open.push(await openStream(origin, { account: other, key }));
  for (const stream of open) stream.close();
});

async function grant(account: string, lotId: string, credits: bigint): Promise<void> {
  const asked = { lotId, credits, source: "promotion", reference: "" } as const;
  const grantAt = { ...asked, end: { kind: "never" } } as const;
  const { kind } = await grantCredits(books.database, toAccountId(account), grantAt, Date.now());
  expect(kind).toBe("granted");
}

/** Ten entries like the first, with references of 20,000 characters. */
async function postLongEntries(account: string): Promise<void> {
  await books.database.query(
    `WITH moved AS (
       UPDATE account SET entries = entries + 10, version = version + 1
       WHERE account_id = $1
       RETURNING entries
     )
     INSERT INTO entry (account_id, sequence, kind, credits, granted, position, version, lot_id,
                        reference, due_at, posted_at)
     SELECT account_id, entries - later, kind, credits, granted, position, version, lot_id,
            repeat('x', 20000), due_at, posted_at
     FROM entry, moved, generate_series(0, 9) AS later
     WHERE account_id = $1 AND sequence = 1`,
    [account],
  );
}

async function topUp(account: string, paymentId: string): Promise<void> {
  const at = { accountId: toAccountId(account), now: Date.now() };
  const { kind } = await topUpByHand(books.database, at, { paymentId, amount: 1_000n });
  expect(kind).toBe("pending");
}

function isAny(): boolean {
  return true;
}

function isBalance(balance: string) {
  return ({ event, data }: StreamEvent) => event === "balance" && data["balance"] === balance;
}

function isEntry(lotId: string) {
  return ({ event, data }: StreamEvent) => event === "credits" && data["lot_id"] === lotId;
}

function entriesOf(events: readonly StreamEvent[]) {
  return events.filter(({ event }) => event === "credits").map(({ data }) => data["lot_id"]);
}

function balancesOf(events: readonly StreamEvent[]) {
  return events.filter(({ event }) => event === "balance").map(({ data }) => data["balance"]);
}

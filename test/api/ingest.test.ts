/**
 * - what was accepted is in Kafka before the answer, exactly as the event states it
 * - one bad event in a batch is named, and the others are published
 * - nothing is dropped silently: no room and no acknowledgement are 503, and the request may be repeated
 * - whatever is sent, the answer is a problem document that names what is wrong
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { OpenMeter } from "@openmeter/sdk";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { applyCatalogue } from "../../shared/ledger/catalogue/apply.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { followUsage, type UsageFollower } from "../client/follow-usage.ts";
import { layKafkaLine } from "../client/kafka-line.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { inlined } from "../support/inlined.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { makeKey } from "../support/processes/api.ts";
import { type IngestServer, post, serveIngest } from "./ingest-server.ts";

const SINGLE = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";
const PROBLEM = "application/problem+json";

const kafka = testKafka();
const [broker = ""] = readSettings(process.env).kafka.brokers;
const prefix = `ingest-${randomBytes(4).toString("hex")}`;
let accounts = 0;
let books: Books;
let topic: UsageFollower;
let giveTopicBack: () => Promise<void>;

beforeAll(async () => {
  books = await openBooks();
  giveTopicBack = await takeUsageTopic(kafka);
  topic = await followUsage(kafka);
}, 300_000);

afterAll(async () => {
  await topic?.stop();
  await giveTopicBack?.();
  await books?.close();
});

function newAccount(): string {
  accounts += 1;
  return `${prefix}-${accounts}`;
}

function event(subject: string, id: string, data: unknown = { quantity: 1 }) {
  return { specversion: "1.0", id, source: "test", type: "calls", subject, data };
}

async function keptOf(accountId: string, count: number) {
  await eventually(`${count} events of ${accountId}`, () => topic.of(accountId).length >= count);
  return topic.of(accountId).map(({ record }) => record);
}

describe("is accepted:", () => {
  test.each([
    [SINGLE, "/v1/events"],
    ["application/json", "/v1/events"],
    [`${SINGLE}; charset=utf-8`, "/api/v1/events"],
    ["APPLICATION/JSON;charset=UTF-8", "/api/v1/events"],
  ])("an event as %s at %s", async (contentType, path) => {
    const server = await serveIngest(books);
    const account = newAccount();
    const time = new Date(Date.now() - 60_000).toISOString();
    const given = { ...event(account, "e 1/\u{1F680}", { quantity: "7", model: "gpt" }), time };
    const answer = await post(server, given, contentType, path);
    expect(answer).toMatchObject({ status: 202, json: { accepted: 1, untimed: 0, rejected: [] } });
    expect(await keptOf(account, 1)).toEqual([
      {
        event_id: "e 1/\u{1F680}",
        account_id: account,
        meter: "calls",
        quantity: 7n,
        occurred_at: Date.parse(time),
        source: "test",
        dimensions: { model: "gpt" },
        quantities: {},
        hold_id: null,
      },
    ]);
  });

  test.each([BATCH, "application/json"])("a batch as %s, of up to 1,000", async (contentType) => {
    const server = await serveIngest(books);
    const account = newAccount();
    const events = Array.from({ length: 1000 }, (_, at) => event(account, `e${at}`));
    expect(await post(server, events, contentType)).toMatchObject({
      status: 202,
      json: { accepted: 1000, untimed: 1000, rejected: [] },
    });
    const ids = (await keptOf(account, 1000)).map(({ event_id }) => event_id);
    expect(ids).toEqual(events.map(({ id }) => id));
  });

  test("an empty batch", async () => {
    const server = await serveIngest(books);
    expect(await post(server, [], BATCH)).toMatchObject({
      status: 202,
      json: { accepted: 0, rejected: [] },
    });
  });

  test("the good events of a batch; the bad ones are named by index", async () => {
    const server = await serveIngest(books);
    const account = newAccount();
    const events = [
      event(account, "good"),
      event(account, "bad", { quantity: 0.5 }),
      7,
      { ...event(account, "old"), time: "2020-01-01T00:00:00Z" },
      event(account, "also good"),
    ];
    const { status, json } = await post(server, events, BATCH);
    expect({ status, accepted: json.accepted }).toEqual({ status: 202, accepted: 2 });
    expect(json.rejected).toMatchObject([
      { index: 1, id: "bad", reason: "malformed", field: "data.quantity" },
      { index: 2, id: null, reason: "malformed", field: "" },
      { index: 3, id: "old", reason: "too_long_ago", field: "time" },
    ]);
    const ids = (await keptOf(account, 2)).map(({ event_id }) => event_id);
    expect(ids).toEqual(["good", "also good"]);
  });

  test("what @openmeter/sdk sends, unchanged", async () => {
    const server = await serveIngest(books);
    const account = newAccount();
    const openmeter = new OpenMeter({ baseUrl: server.origin, apiKey: server.key });
    const time = new Date(Date.now() - 1000);
    const one = { type: "calls", subject: account, data: { value: 3, model: "gpt" } };
    await openmeter.events.ingest({ ...one, id: "sdk-1", source: "svc", time });
    await openmeter.events.ingest([one, { ...one, data: { value: "4" } }]);
    const kept = await keptOf(account, 3);
    expect(kept[0]).toEqual({
      event_id: "sdk-1",
      account_id: account,
      meter: "calls",
      quantity: 3n,
      occurred_at: time.getTime(),
      source: "svc",
      dimensions: { model: "gpt" },
      quantities: {},
      hold_id: null,
    });
    expect(kept.map(({ quantity }) => quantity)).toEqual([3n, 3n, 4n]);
    expect(kept[1]?.source).toBe("@openmeter/sdk");
    const refused = openmeter.events.ingest({ ...one, data: { value: 0.5 } });
    await expect(refused).rejects.toThrow(/\[400\].*data\.value must be a whole number, not 0\.5/);
  });
});

test("an event that feeds two meters in the catalogue becomes usage of both, within five seconds", async () => {
  let now = Date.now();
  const server = await serveIngest(books, { now: () => now });
  const account = newAccount();
  const prompt = { ...event(account, "p1", { tokens: { out: 5 }, model: "gpt" }), type: "prompt" };
  expect(await post(server, { ...prompt, id: "p0" })).toMatchObject({
    status: 400,
    json: { field: "data.quantity" },
  });

  const parsed = parseCatalogue(
    Buffer.from(`meters:
  out: { credits: 1, per: 1, feed: { event_type: prompt, value: $.tokens.out, dimensions: { model: $.model } } }
  prompts: { credits: 1, per: 1, feed: { event_type: prompt } }
`),
  );
  if (parsed.kind === "unreadable") throw new Error(JSON.stringify(parsed.problems));
  await applyCatalogue(books.database, parsed.asked, now - 1000, 0);
  now += 5_000;
  expect(await post(server, prompt)).toMatchObject({ status: 202, json: { accepted: 1 } });
  expect(await keptOf(account, 2)).toMatchObject([
    { event_id: "p1/out", meter: "out", quantity: 5n, dimensions: { model: "gpt" } },
    { event_id: "p1/prompts", meter: "prompts", quantity: 1n, dimensions: {} },
  ]);
});

describe("while Kafka does not acknowledge", () => {
  test("a request is told to retry, and a retry succeeds", async () => {
    const line = await layKafkaLine(broker);
    onTestFinished(() => line.remove());
    const server = await serveIngest(books, { limits: { withinMs: 500 } });
    const account = newAccount();
    const given = { ...event(account, "again"), time: new Date().toISOString() };
    line.cut();
    expect(await post(server, given)).toMatchObject({
      status: 503,
      type: PROBLEM,
      retryAfter: "2",
    });
    line.mend();
    await eventually("it is taken", async () => (await post(server, given)).status === 202);
    const kept = await keptOf(account, 1);
    expect(new Set(kept.map((record) => JSON.stringify(record.event_id)))).toEqual(
      new Set(['"again"']),
    );
    expect(new Set(kept.map(({ occurred_at }) => occurred_at)).size).toBe(1);
  });

  test("a limited number of events waits: others are refused before they are read, and none is lost", async () => {
    const line = await layKafkaLine(broker);
    onTestFinished(() => line.remove());
    const server = await serveIngest(books, { limits: { maxWaiting: 10, withinMs: 60_000 } });
    const account = newAccount();
    line.cut();
    const nine = Array.from({ length: 9 }, (_, at) => event(account, `e${at}`));
    const waiting = post(server, nine, BATCH);
    await eventually("the first wait", () => line.refused > 0);
    const two = [event(account, "no"), event(account, "room")];
    const noRoom = { status: 503, type: PROBLEM, retryAfter: "2" };
    expect(await post(server, two, BATCH)).toMatchObject(noRoom);
    const last = post(server, event(account, "last"));
    await eventually("there is no room for anything", async () => {
      return (await post(server, "not even JSON")).status === 503;
    });
    line.mend();
    expect(await waiting).toMatchObject({ status: 202, json: { accepted: 9 } });
    expect(await last).toMatchObject({ status: 202 });
    const ids = (await keptOf(account, 10)).map(({ event_id }) => event_id);
    expect(ids.sort()).toEqual([...nine.map(({ id }) => id), "last"].sort());
    expect(await post(server, two, BATCH)).toMatchObject({ status: 202 });
  });

  test("abandoned events make room again", async () => {
    const line = await layKafkaLine(broker);
    onTestFinished(() => line.remove());
    const server = await serveIngest(books, {
      giveUpAfterMs: 300,
      limits: { maxWaiting: 1, withinMs: 60_000 },
    });
    line.cut();
    const account = newAccount();
    expect(await post(server, event(account, "e1"))).toMatchObject({ status: 503 });
    line.mend();
    expect(await post(server, event(account, "e1"))).toMatchObject({ status: 202 });
  });
});

test("accepts usage only with keys that may send it", async () => {
  const server = await serveIngest(books);
  const account = newAccount();
  const read = await makeKey(books, ["read", "billing"]);
  const admin = await makeKey(books, ["admin"]);
  for (const path of ["/v1/events", "/api/v1/events"]) {
    const statusWith = async (key: string) =>
      (await post({ ...server, key }, event(account, path), SINGLE, path)).status;
    expect(await statusWith("ddk_nobody")).toBe(401);
    expect(await statusWith(read)).toBe(403);
    expect(await statusWith(admin)).toBe(202);
  }
  expect(await keptOf(account, 2)).toHaveLength(2);
});

test("is documented with its requests and answers", async () => {
  const { origin } = await serveIngest(books);
  const document = inlined(await (await fetch(`${origin}/openapi.json`)).json());
  const { description, requestBody, responses } = (document as OpenApi).paths["/api/v1/events"]
    .post;
  expect(Object.keys(requestBody.content)).toEqual(["application/json"]);
  expect(JSON.stringify(requestBody.content)).toContain('"specversion"');
  for (const type of [SINGLE, BATCH]) expect(description).toContain(`\`${type}\``);
  expect(Object.keys(responses)).toEqual(["202", "400", "4XX", "5XX"]);
});

interface OpenApi {
  readonly paths: {
    readonly "/api/v1/events": {
      readonly post: {
        readonly description: string;
        readonly requestBody: { readonly content: Readonly<Record<string, unknown>> };
        readonly responses: object;
      };
    };
  };
}

describe("is refused:", () => {
  const good = event("acme", "e1");
  const many = Array.from({ length: 1001 }, () => good);
  const large = JSON.stringify({ ...good, source: "s".repeat(1 << 20) });
  const huge = JSON.stringify({ ...good, source: "s".repeat(10 << 20) });
  test.each<[what: string, body: unknown, type: string, status: number, detail: RegExp]>([
    ["no JSON", "{", "application/json", 400, /^the body is not JSON: /],
    ["nothing", "", SINGLE, 400, /^the body is empty/],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), SINGLE, 400, /^the body is not UTF-8$/],
    ["null", "null", SINGLE, 400, /^the event must be a CloudEvents event, not null$/],
    ["a number as a batch", "7", BATCH, 400, /^the body must be a list of events/],
    ["one event as a batch", good, BATCH, 400, /^the body must be a list of events/],
    ["a batch as one event", [good], SINGLE, 400, /^the body must be one event; send a list/],
    ["1,001 events", many, BATCH, 413, /1001 events; send at most 1000 per request$/],
    ["more than 1 MiB", large, SINGLE, 413, /^the body is larger than 1 MiB; send fewer events/],
    ["10 MB", huge, SINGLE, 413, /^the body is larger than 1 MiB/],
    ["text", "hello", "text/plain", 415, /^the content type must be application\/cloudevents/],
    ["an XML event", "<a/>", "application/cloudevents+xml", 415, /^the content type must be/],
    ["no media type", "{}", "json", 415, /^the content type must be/],
    ["half a million brackets", "[".repeat(500_000), SINGLE, 400, /^the body is not JSON/],
    [
      "half a million levels",
      `${"[".repeat(499_990)}1234567890123456${"]".repeat(499_990)}`,
      BATCH,
      400,
      /nested too deeply$/,
    ],
    [
      "a deep prototype",
      '{"__proto__": {"specversion": "1.0"}}',
      SINGLE,
      400,
      /^specversion must be "1.0", not nothing$/,
    ],
  ])("%s", async (_, body, contentType, status, detail) => {
    const server = await serveIngest(books);
    const answer = await post(server, body, contentType);
    expect(answer).toMatchObject({ status, type: PROBLEM, json: { status } });
    expect(answer.json.detail).toMatch(detail);
    expect(topic.of("acme")).toEqual([]);
  });

  test("one event, naming the field", async () => {
    const server = await serveIngest(books);
    const answer = await post(server, { ...good, subject: "a\u0000b" }, SINGLE);
    expect(answer).toEqual({
      status: 400,
      type: PROBLEM,
      retryAfter: null,
      json: {
        type: "urn:drawdown:malformed",
        title: "Bad Request",
        status: 400,
        detail: "subject holds a NUL character or bytes that are not UTF-8",
        field: "subject",
      },
    });
  });

  test("a batch without a good event, naming each", async () => {
    const server = await serveIngest(books);
    const answer = await post(server, [{ ...good, id: 7 }, null], BATCH);
    expect(answer).toMatchObject({
      status: 400,
      json: {
        detail: "no event was accepted; the first: id must be text, not a number",
        field: "[0].id",
        rejected: [
          { index: 0, id: null, field: "id" },
          { index: 1, id: null, field: "" },
        ],
      },
    });
  });

  test("a body in a content encoding", async () => {
    const server = await serveIngest(books);
    const response = await fetch(`${server.origin}/v1/events`, {
      method: "POST",
      headers: { ...bearer(server.key), "content-type": SINGLE, "content-encoding": "gzip" },
      body: "x",
    });
    expect(response.status).toBe(415);
    expect(response.headers.get("content-type")).toBe(PROBLEM);
  });

  test("no body at all, and one without a content type", async () => {
    const server = await serveIngest(books);
    const asked = { method: "POST", headers: bearer(server.key) };
    const none = await fetch(`${server.origin}/v1/events`, asked);
    expect(none.status).toBe(400);
    const untyped = await fetch(`${server.origin}/v1/events`, {
      ...asked,
      body: Buffer.from("{}"),
    });
    expect(untyped.status).toBe(415);
  });

  test("a body without a Content-Length, once it is too large", async () => {
    const server = await serveIngest(books);
    expect(await streamed(server)).toMatch(/^HTTP\/1\.1 413 /);
  });
});

function bearer(key: string) {
  return { authorization: `Bearer ${key}` };
}

/** Sends chunks until the server answers; returns the answer. */
function streamed({ origin, key }: IngestServer): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunk = `${(1 << 16).toString(16)}\r\n${" ".repeat(1 << 16)}\r\n`;
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("data", (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.write(
      `POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\ncontent-type: ${SINGLE}\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    for (let sent = 0; sent < 20; sent += 1) socket.write(chunk);
  });
}

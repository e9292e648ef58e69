import { afterAll, beforeAll, expect, test } from "vitest";
import { API_SERVICE, METERING_SERVICE } from "../../infra/local/services.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { makeKey } from "../support/processes/api.ts";
import { type ServiceProcess, startService } from "../support/processes/service-process.ts";
import {
  type ReceivedSpan,
  receiveTraces,
  type TraceReceiver,
} from "../support/processes/trace-receiver.ts";

/** Traces from a request to the balance that is published, from real services to a collector of the test. */
const kafka = testKafka();
const PREFIX = `traced-${Date.now()}`;
const USED = 1_000_000n;
const STOPS_WITHIN_MS = 5_000;
/** Says what is loaded of OpenTelemetry's SDK. */
const SAYS_LOADED = `--import=data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({
    load(url, context, next) {
      const msg = "loads " + url;
      if (/opentelemetry.(?!api)|otlp-tracing/.test(url)) console.log(JSON.stringify({ msg }));
      return next(url, context);
    },
  });`)}`;

let giveTopicBack: () => Promise<void>;
let books: Books;
let key: string;
let receiver: TraceReceiver;
let metering: ServiceProcess;
let api: Api;
let untraced: Api;
let headers: Awaited<ReturnType<typeof collectHeaders>>;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  [books, receiver] = await Promise.all([openBooks(), receiveTraces()]);
  await setPrice(books, "call", USED);
  key = await makeKey(books, ["ingest"]);
  const env = { ...process.env, DATABASE_URL: books.url, NODE_OPTIONS: SAYS_LOADED, API_PORT: "0" };
  const traced = {
    ...{ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_TIMEOUT: "30000" },
    // Only what belongs to a caller's trace is kept.
    OTEL_TRACES_SAMPLER: "parentbased_always_off",
  };
  metering = startService(METERING_SERVICE, { ...traced, OTEL_EXPORTER_OTLP_TIMEOUT: "1000" });
  [api, untraced, headers] = await Promise.all([
    startApi(traced),
    startApi(env),
    collectHeaders([TOPICS.usageEvents, TOPICS.balances, TOPICS.lowBalance]),
    metering.says(/^metering$/, 40_000),
  ]);
}, 300_000);

afterAll(async () => {
  await headers?.stop();
  await Promise.all([metering?.kill(), api?.process.kill(), untraced?.process.kill()]);
  await Promise.all([books?.close(), receiver?.close()]);
  await giveTopicBack?.();
});

test("off, a service loads nothing of it and writes no header", async () => {
  const account = await openUser("off");
  const caller = newTraceparent("01");
  expect(await use(untraced, account, caller)).toBe(202);
  await eventually("it is debited", () => isDebited(account));
  await eventually("it is read", () => headers.of(TOPICS.usageEvents, account).length === 1);
  expect(headers.of(TOPICS.usageEvents, account)).toEqual([{}]);
  const loaded = ({ process }: Api) => process.log.filter(({ msg }) => msg.startsWith("loads "));
  expect(loaded(api).length).toBeGreaterThan(0);
  expect(loaded(untraced)).toEqual([]);
});

test("a request's trace leads to the event's metering, and by links to the batch and what is published of it", async () => {
  const account = await openUser("whole");
  const caller = newTraceparent("01");
  expect(await use(api, account, caller)).toBe(202);
  await eventually("its balance is published", () => spanOf("publish balances", account) !== null);
  await eventually("its low balance is relayed", () => spanOf("relay outbox", account) !== null);
  const inTrace = () => receiver.spans.filter(({ traceId }) => traceId === caller.traceId);
  await eventually("its trace is whole", () => inTrace().length === 3);

  const [request, send, event] = [
    "POST /v1/events",
    "send usage.events",
    "process usage.events",
  ].map((name) => inTrace().find((span) => span.name === name));
  if (!request || !send || !event)
    throw new Error(JSON.stringify(inTrace().map(({ name }) => name)));
  expect(request).toMatchObject({ service: "drawdown-api", parentSpanId: caller.spanId });
  expect(send).toMatchObject({ service: "drawdown-api", parentSpanId: request.spanId });
  expect(headerOf(TOPICS.usageEvents, account)).toBe(traceparentOf(send));
  expect(event).toMatchObject({ service: "drawdown-metering", parentSpanId: send.spanId });
  expect(event.attributes).toContainEqual({
    key: "messaging.kafka.offset",
    value: { intValue: expect.anything() },
  });

  const batch = receiver.spans.find(({ spanId }) => spanId === event.links[0]?.spanId);
  if (!batch) throw new Error("its batch is not there");
  expect(batch).toMatchObject({ name: "meter batch", parentSpanId: "", links: [placeOf(send)] });
  expect(batch.attributes).toContainEqual({ key: "drawdown.metered", value: { intValue: 1 } });
  const steps = receiver.spans.filter(({ parentSpanId }) => parentSpanId === batch.spanId);
  const inOrder = steps.toSorted((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano));
  expect(inOrder.map(({ name }) => name)).toEqual([
    ...["decode", "lock", "read", "price", "move", "write", "commit"],
  ]);
  for (const { startTimeUnixNano, endTimeUnixNano } of steps) {
    expect(startTimeUnixNano).toBeGreaterThanOrEqual(batch.startTimeUnixNano);
    expect(endTimeUnixNano).toBeLessThanOrEqual(batch.endTimeUnixNano);
  }

  for (const name of ["publish balances", "relay outbox"] as const) {
    expect(spanOf(name, account)).toMatchObject({
      ...{ service: "drawdown-metering", parentSpanId: "" },
      links: expect.arrayContaining([placeOf(batch)]),
    });
  }
});

test("a trace that its caller leaves out is left out, and its event has no header", async () => {
  const account = await openUser("left-out");
  const caller = newTraceparent("00");
  expect(await use(api, account, caller)).toBe(202);
  await eventually("it is debited", () => isDebited(account));
  await eventually("it is read", () => headers.of(TOPICS.usageEvents, account).length === 1);
  expect(headerOf(TOPICS.usageEvents, account)).toBe("");
  await eventually("its balance is published", () => {
    return headers.of(TOPICS.balances, account).length > 0;
  });
  expect(headerOf(TOPICS.balances, account)).toBe("");
  expect(receiver.spans.filter(({ traceId }) => traceId === caller.traceId)).toEqual([]);
});

test("no span names an account, nor the text of a header", () => {
  expect(receiver.texts.length).toBeGreaterThan(0);
  for (const sent of receiver.texts) expect(sent).not.toMatch(new RegExp(`${PREFIX}|${key}`));
});

test("a collector that hangs, and then is gone, holds up no usage and no stop", async () => {
  receiver.hang();
  const first = await openUser("hangs");
  expect(await use(api, first, newTraceparent("01"))).toBe(202);
  await eventually("it is debited", () => isDebited(first), 5_000);
  const warnings = () => metering.log.filter(({ msg }) => msg.startsWith("traces cannot be sent"));
  await eventually("it is said", () => warnings().length > 0);
  const second = await openUser("still-hangs");
  expect(await use(api, second, newTraceparent("01"))).toBe(202);
  await eventually("it is debited", () => isDebited(second), 5_000);
  expect(await msToStop(api.process)).toBeLessThan(STOPS_WITHIN_MS);

  await receiver.close();
  const third = await openUser("gone");
  expect(await use(untraced, third, newTraceparent("01"))).toBe(202);
  await eventually("it is debited", () => isDebited(third), 5_000);
  expect(await msToStop(metering)).toBeLessThan(STOPS_WITHIN_MS);
  expect(warnings()).toMatchObject([{ level: "warn", error: expect.stringMatching(/time/) }]);
}, 60_000);

/** How long it takes to end cleanly. */
async function msToStop(process: ServiceProcess): Promise<number> {
  const since = performance.now();
  expect(await process.stop()).toBe(0);
  return performance.now() - since;
}

interface Api {
  readonly process: ServiceProcess;
  readonly origin: string;
}

async function startApi(env: NodeJS.ProcessEnv): Promise<Api> {
  const process = startService(API_SERVICE, env);
  return { process, origin: String((await process.says(/^serving$/, 40_000))["address"]) };
}

/** An account that the first use brings below its threshold. */
async function openUser(name: string): Promise<string> {
  const account = `${PREFIX}-${name}`;
  const lots = [{ credits: 10n * USED }];
  await openAccount(books, account, { lots, threshold: 9n * USED });
  return account;
}

interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceparent: string;
}

function newTraceparent(flags: "00" | "01"): Caller {
  const random = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes)));
  const [traceId, spanId] = [random(16).toString("hex"), random(8).toString("hex")];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

async function use({ origin }: Api, account: string, { traceparent }: Caller): Promise<number> {
  const event = { specversion: "1.0", id: account, source: "test", type: "call", subject: account };
  const { status } = await fetch(`${origin}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", traceparent },
    body: JSON.stringify({ ...event, data: { quantity: 1 } }),
  });
  return status;
}

async function isDebited(account: string): Promise<boolean> {
  const found = "SELECT position FROM account WHERE account_id = $1";
  const { rows } = await books.database.query<{ position: bigint }>(found, [account]);
  return rows[0]?.position === USED;
}

/** The headers of all records of topics, by account. */
async function collectHeaders(topics: string[]) {
  const read: { topic: string; account: string; headers: Record<string, string> }[] = [];
  const consumer = kafka.consumer({ groupId: `test-${PREFIX}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const texts = Object.entries(message.headers ?? {}).map(([name, value]) => [
        name,
        `${value}`,
      ]);
      read.push({ topic, account: `${message.key}`, headers: Object.fromEntries(texts) });
    },
  });
  return {
    of: (topic: string, account: string) =>
      read
        .filter((record) => record.topic === topic && record.account === account)
        .map((record) => record.headers),
    stop: () => consumer.disconnect(),
  };
}

/** The `traceparent` of an account's newest record on a topic; empty: none. */
function headerOf(topic: string, account: string): string {
  return headers.of(topic, account).at(-1)?.["traceparent"] ?? "";
}

/** The span whose context is in the header of what it published; null: it is not there yet. */
function spanOf(name: "publish balances" | "relay outbox", account: string): ReceivedSpan | null {
  const topic = name === "relay outbox" ? TOPICS.lowBalance : TOPICS.balances;
  const spans = receiver.spans.filter((span) => span.name === name);
  return spans.find((span) => traceparentOf(span) === headerOf(topic, account)) ?? null;
}

function placeOf({ traceId, spanId }: ReceivedSpan) {
  return { traceId, spanId };
}

function traceparentOf({ traceId, spanId }: ReceivedSpan): string {
  return `00-${traceId}-${spanId}-01`;
}

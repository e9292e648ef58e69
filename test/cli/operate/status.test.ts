import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lagsOf } from "../../../services/cli/usage/metering-progress.ts";
import { TOPICS, USAGE_READER } from "../../../shared/core/text/topics.ts";
import { makeApiKey } from "../../../shared/ledger/access/make-access.ts";
import { startOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import { recordHousekeeping } from "../../../shared/ledger/housekeeping/runs.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { storeDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { type Health, openHealth } from "../../../shared/runtime/health/health.ts";
import { serveHealth } from "../../../shared/runtime/health/serve-health.ts";
import { openMetrics } from "../../../shared/runtime/metrics/metrics.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { drawdown } from "../../support/cli/drawdown.ts";

let books: Books;
const status = async (env: Record<string, string> = {}) => {
  const all = { DATABASE_URL: books.url, ...env };
  const ran = await drawdown(["status", "--json"], { env: all });
  return { ...ran, found: JSON.parse(ran.stdout) };
};
const isUp = (found: { parts: { name: string; up: boolean }[] }) =>
  Object.fromEntries(found.parts.map(({ name, up }) => [name, up]));

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

// Whether metering runs depends on what else is tested at the moment.
test("shows what is up, the lag, and what waits", async () => {
  await startOffsets(books.database, USAGE_READER, new Map([[0, 0n]]));
  await inTransaction(books.database, (transaction) =>
    storeDeadLetters(
      transaction,
      [1n, 2n, 3n].map((offset) => ({
        topic: TOPICS.usageEvents,
        partition: 0,
        offset,
        accountId: null,
        meter: null,
        occurredAt: null,
        rejection: { reason: offset === 1n ? "conflict" : "unreadable", detail: "" },
        key: null,
        payload: Buffer.alloc(0),
        recordedAt: 0,
      })),
    ),
  );
  const { code, stderr, found } = await status();
  const { metering, ...servers } = isUp(found);
  expect(servers).toEqual({ postgres: true, kafka: true, registry: true });
  expect({ code, stderr }).toEqual(
    metering === true
      ? { code: 0, stderr: "" }
      : { code: 1, stderr: '{"error":"down: metering"}\n' },
  );
  expect(found.up).toBe(metering);
  expect(found).toMatchObject({
    events_per_second: 0,
    outbox: 0,
    dead_letters: [
      { reason: "unreadable", count: 2 },
      { reason: "conflict", count: 1 },
    ],
    housekeeping: [],
    usage_kept_since: null,
  });
  const [first] = found.partitions;
  expect(first).toMatchObject({ partition: 0, next_offset: "0", lag: first.high_watermark });
});

test("shows the same as tables, and the keys that expire soon", async () => {
  const { stdout } = await drawdown(["status"], { env: { DATABASE_URL: books.url } });
  expect(stdout).toMatch(/^PART +STATE +WHERE\npostgres +up +\S+ +version \d+/);
  expect(stdout).toMatch(/\nPARTITION +END +NEXT +LAG\n +0 +\d+ +0 +\d+\n/);
  expect(stdout).toMatch(/\nhousekeeping +not run yet\n/);
  expect(stdout).toMatch(/\ndead letters +2 unreadable, 1 conflict\n$/);
  const [now, day] = [Date.now(), 24 * 60 * 60_000];
  for (const [name, expiresAt] of [
    ["soon", now + day],
    ["later", now + 15 * day],
  ] as const) {
    const key = { name, scopes: ["read"], createdBy: "test", expiresAt, now } as const;
    await makeApiKey(books.database, key);
  }
  const ranAt = Date.parse("2026-11-29T06:20:00Z");
  const run = { ranAt, keptFor: "2 days", deleted: 1234n, finished: false };
  await recordHousekeeping(books.database, { ...run, table: "api_request", finished: true });
  await recordHousekeeping(books.database, { ...run, table: "dead_letter", keptFor: "forever" });
  await books.database.query(
    "INSERT INTO usage_past_partition VALUES (0, 0, 1, 1, 1, '2025-09-30T23:59:00Z')",
  );
  const { found } = await status();
  expect(found.usage_kept_since).toBe("2025-10-01T00:00:00.000Z");
  expect(found.housekeeping).toEqual([
    {
      ...{ table: "api_request", kept_for: "2 days", ran_at: "2026-11-29T06:20:00.000Z" },
      ...{ deleted: "1234", finished: true },
    },
    expect.objectContaining({ table: "dead_letter", kept_for: "forever", finished: false }),
  ]);
  expect(found.expiring_keys).toMatchObject([{ name: "soon" }]);
  const warned = await drawdown(["status"], { env: { DATABASE_URL: books.url } });
  expect(warned.stdout).toMatch(
    /\nTABLE +KEPT FOR +LAST CLEANED +DELETED\napi_request +2 days +2026-11-29T06:20:00.000Z +1,234\ndead_letter +forever +\S+ +1,234 +more next time\n/,
  );
  expect(warned.stdout).toMatch(/\nusage events +kept since 2025-10-01T00:00:00.000Z\n/);
  expect(warned.stdout).toMatch(/\nexpiring key +soon \([0-9a-f]{16}\) on /);
});

describe("the health of services", () => {
  const stop = new AbortController();

  /** A service that is ready unless `more` says otherwise, and where it answers. */
  async function serving(name: string, more: (health: Health) => void = () => undefined) {
    const health = openHealth(1, stop.signal);
    more(health);
    health.started();
    await health.liveness();
    return `${name}=${await serveHealth(name, { reports: health, metrics: openMetrics() }, { host: "127.0.0.1", port: 0 })}`;
  }

  test("is shown where they answer: ready, not ready, not alive, or that they do not answer", async () => {
    const HEALTH_ADDRESSES = [
      await serving("scheduler"),
      await serving("top-up", (health) => health.server("kafka", () => ({ reason: "no brokers" }))),
      await serving("relay", (health) => health.work("relay", () => 65_000)),
      "api=http://127.0.0.1:65535",
    ].join(", ");
    const { code, stderr, found } = await status({ HEALTH_ADDRESSES });
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error).toMatch(/top-up, relay, api$/);
    expect(found.up).toBe(false);
    const address = expect.stringMatching(/^http:/);
    const since = expect.stringMatching(/^2\d{3}-/);
    const stands = "it has not moved for 65 s";
    expect(found.services).toEqual([
      { name: "scheduler", address, state: "ready", down: [], reason: null },
      {
        ...{ name: "top-up", address, state: "not_ready", reason: null },
        down: [{ check: "kafka", since, reason: "no brokers" }],
      },
      {
        ...{ name: "relay", address, state: "not_alive", reason: null },
        down: [{ check: "relay", since, reason: stands }],
      },
      {
        ...{ name: "api", address, state: "unreachable", down: [] },
        reason: expect.stringMatching(/ECONNREFUSED/),
      },
    ]);
    const env = { DATABASE_URL: books.url, HEALTH_ADDRESSES };
    const { stdout } = await drawdown(["status"], { env });
    expect(stdout).toMatch(/\nSERVICE +STATE +WHERE\nscheduler +ready +http:\S+\n/);
    expect(stdout).toMatch(/\ntop-up +NOT READY +http:\S+ +kafka since 2\S+: no brokers\n/);
    expect(stdout).toMatch(/\nrelay +NOT ALIVE +http:\S+ +relay since 2\S+: it has not moved/);
    expect(stdout).toMatch(/\napi +UNREACHABLE +http:\S+ +.*ECONNREFUSED/);
  });

  test("is unknown where nobody says where they answer", async () => {
    expect((await status()).found.services).toBeNull();
    const { stdout } = await drawdown(["status"], { env: { DATABASE_URL: books.url } });
    expect(stdout).toMatch(/\nservices +unknown: HEALTH_ADDRESSES is not set\n/);
  });

  test.each(["metering:8099", "metering=http://user:secret@127.0.0.1:1"])(
    "is refused by the setting's name where an address is none: %s",
    async (HEALTH_ADDRESSES) => {
      const env = { DATABASE_URL: books.url, HEALTH_ADDRESSES };
      const { code, stderr } = await drawdown(["status"], { env });
      expect([code, stderr]).toEqual([2, expect.stringMatching(/HEALTH_ADDRESSES: must be name=/)]);
      expect(stderr).not.toContain("secret");
    },
  );
});

describe("names a server that is down and shows the rest, within seconds", () => {
  test.each([
    ["postgres", { DATABASE_URL: "postgres://someone:secret@127.0.0.1:1/books" }],
    ["kafka", { KAFKA_BROKERS: "127.0.0.1:1" }],
    ["registry", { SCHEMA_REGISTRY_URL: "http://someone:secret@127.0.0.1:65535/" }],
  ])("%s", async (name, env) => {
    const startedAt = Date.now();
    const { code, stdout, stderr, found } = await status(env);
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error).toContain(name);
    expect(stdout + stderr).not.toContain("secret");
    expect(isUp(found)).toMatchObject({
      postgres: true,
      kafka: true,
      registry: true,
      [name]: false,
    });
    expect(found.events_per_second).toBe(name === "postgres" ? null : 0);
    expect(found.lag === null).toBe(name !== "registry");
  });
});

describe("the lag of a partition", () => {
  test.each([
    ["is what Kafka has beyond the books", { low: 2n, high: 9n }, 7n, 2n],
    ["is all that Kafka still has when the books have not begun", { low: 2n, high: 9n }, null, 7n],
    ["is none when the books were read a moment later", { low: 0n, high: 9n }, 10n, 0n],
  ])("%s", (_, end, nextOffset, lag) => {
    const offsets = new Map(nextOffset === null ? [] : [[0, nextOffset] as const]);
    expect(lagsOf([{ partition: 0, ...end }], offsets)).toEqual([
      { partition: 0, high: end.high, nextOffset, lag },
    ]);
  });

  test("is unknown while one side is down", () => {
    expect(lagsOf(null, new Map([[3, 5n]]))).toEqual([
      { partition: 3, high: null, nextOffset: 5n, lag: null },
    ]);
    expect(lagsOf([{ partition: 3, low: 0n, high: 5n }], null)).toEqual([
      { partition: 3, high: 5n, nextOffset: null, lag: null },
    ]);
  });
});

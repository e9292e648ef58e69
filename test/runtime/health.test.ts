import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openHealth } from "../../shared/runtime/health/health.ts";
import { healthMetrics } from "../../shared/runtime/health/health-metrics.ts";
import { serveHealth } from "../../shared/runtime/health/serve-health.ts";
import { watchLoop } from "../../shared/runtime/health/watch-loop.ts";
import { workInHand } from "../../shared/runtime/health/work-in-hand.ts";
import { openMetrics } from "../../shared/runtime/metrics/metrics.ts";
import { poolMetrics } from "../../shared/runtime/metrics/pool-metrics.ts";
import { eventually } from "../support/eventually.ts";
import { seriesOf } from "../support/processes/ask-metrics.ts";

const LIMIT_MS = 60_000;
const RUNS = new AbortController().signal;

describe("readiness", () => {
  test("begins when the service is at work, and ends when it is asked to stop", async () => {
    const stop = new AbortController();
    const health = openHealth(LIMIT_MS, stop.signal);
    expect((await health.readiness())["process"]?.reason).toMatch(/not started/);
    health.started();
    await eventually("it is ready", async () => (await health.readiness())["process"] === null);
    stop.abort();
    const reason = async () => (await health.readiness())["process"]?.reason;
    await eventually("it is not", async () => (await reason()) === "it is stopping");
  });

  test("names what is down, since it was first found", async () => {
    const health = openHealth(LIMIT_MS, RUNS);
    let error: Error | null = new Error("connection refused");
    let asked = 0;
    health.server("postgres", async () => {
      asked += 1;
      if (error !== null) throw error;
      return null;
    });
    health.server("kafka", () => null);
    const first = (await health.readiness())["postgres"];
    expect(first?.reason).toBe("connection refused");
    expect((await health.readiness())["kafka"]).toBeNull();
    error = new Error("no route");
    await eventually("it is asked again", async () => {
      return (await health.readiness())["postgres"]?.reason === "no route";
    });
    expect((await health.readiness())["postgres"]?.since).toBe(first?.since);
    expect(asked).toBe(2);
    error = null;
    const isUp = async () => (await health.readiness())["postgres"] === null;
    await eventually("it is up again", isUp);
  });

  test("a server that never answers is down within the deadline, and is asked once", async () => {
    const health = openHealth(LIMIT_MS, RUNS);
    const ask = vi.fn(() => new Promise<null>(() => undefined));
    health.server("postgres", ask);
    await health.readiness();
    await eventually("the next answer is not the same", async () => {
      const before = performance.now();
      expect((await health.readiness())["postgres"]?.reason).toBe("no answer within 2 s");
      return performance.now() - before > 1_000;
    });
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test("names work that stands still, since it last moved", async () => {
    const health = openHealth(LIMIT_MS, RUNS);
    health.work("runs", () => LIMIT_MS + 5_000);
    const { runs } = await health.readiness();
    expect(runs?.reason).toBe("it has not moved for 65 s");
    expect(Date.now() - (runs?.since ?? 0)).toBeGreaterThanOrEqual(LIMIT_MS + 5_000);
  });
});

describe("liveness", () => {
  /** A health with a clock in hand, one server and one piece of work. */
  function given() {
    const state = { now: 0, isUp: true, standsForMs: 0 };
    const health = openHealth(LIMIT_MS, RUNS, () => state.now);
    // More than a second apart, as the clock of the checks is the real one.
    health.server("postgres", () => (state.isUp ? null : { reason: "down" }));
    health.work("consumer", () => state.standsForMs);
    const isAlive = async () => Object.values(await health.liveness()).every((one) => one === null);
    const asOfNow = vi.spyOn(performance, "now").mockImplementation(() => state.now);
    onTestFinished(() => asOfNow.mockRestore());
    return { state, isAlive };
  }

  test("ends when work has stood still for the limit, and servers have been up for as long since", async () => {
    const { state, isAlive } = given();
    state.standsForMs = LIMIT_MS - 1;
    expect(await isAlive()).toBe(true);
    state.now = 1_001;
    state.standsForMs = LIMIT_MS;
    expect(await isAlive()).toBe(true);
    state.now += LIMIT_MS - 1;
    expect(await isAlive()).toBe(true);
    state.now += 1;
    expect(await isAlive()).toBe(false);
    state.standsForMs = 0;
    expect(await isAlive()).toBe(true);
  });

  test("has the limit again for another standstill, however seldom it is asked for", async () => {
    const { state, isAlive } = given();
    state.standsForMs = LIMIT_MS;
    expect(await isAlive()).toBe(true);
    state.now += 10 * LIMIT_MS;
    expect(await isAlive()).toBe(true);
    state.now += LIMIT_MS;
    expect(await isAlive()).toBe(false);
  });

  test("outlasts any outage, and has the limit again after it", async () => {
    const { state, isAlive } = given();
    state.now = 1_001;
    state.isUp = false;
    state.standsForMs = 100 * LIMIT_MS;
    expect(await isAlive()).toBe(true);
    state.now += 10 * LIMIT_MS;
    expect(await isAlive()).toBe(true);
    state.isUp = true;
    state.now += 10 * LIMIT_MS;
    expect(await isAlive()).toBe(true);
    state.now += LIMIT_MS - 1;
    expect(await isAlive()).toBe(true);
    state.now += 1;
    expect(await isAlive()).toBe(false);
  });
});

test("work in hand stands for as long as its oldest piece has not moved", () => {
  let now = 0;
  const work = workInHand(() => now);
  expect(work.standsForMs()).toBe(0);
  const first = work.take();
  now = 10;
  const second = work.take();
  now = 30;
  expect(work.standsForMs()).toBe(30);
  first.moved();
  expect(work.standsForMs()).toBe(20);
  second.done();
  now = 31;
  expect(work.standsForMs()).toBe(1);
  first.done();
  expect(work.standsForMs()).toBe(0);
});

test("a loop stands still when a turn hangs or there is none any more, and not while its turns fail", async () => {
  let now = 0;
  const loop = watchLoop(() => now);
  now = 5_000;
  expect(loop.standsForMs()).toBe(0);
  now = 65_000;
  expect(loop.standsForMs()).toBe(60_000);
  await loop.turn(async () => undefined)();
  expect(loop.standsForMs()).toBe(0);
  now += 10_000;
  await expect(loop.turn(() => Promise.reject(new Error("no broker")))()).rejects.toThrow();
  expect(loop.standsForMs()).toBe(0);
  void loop.turn(() => new Promise(() => undefined))();
  now += 5_001;
  expect(loop.standsForMs()).toBe(1);
});

test("over HTTP, it is 200 with every check, or 503 with the reason and since when", async () => {
  const health = openHealth(LIMIT_MS, RUNS);
  health.started();
  health.server("kafka", () => ({ reason: "no brokers", forMs: 5_000 }));
  health.work("consumer", () => 0);
  const reported = { reports: health, metrics: openMetrics() };
  const origin = await serveHealth("metering", reported, { host: "127.0.0.1", port: 0 });
  const live = await fetch(`${origin}/livez`);
  expect([live.status, await live.json()]).toEqual([
    200,
    { service: "metering", status: "up", checks: { consumer: { status: "up" } } },
  ]);
  const ready = await fetch(`${origin}/readyz?verbose`);
  const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    {
      service: "metering",
      status: "down",
      checks: {
        kafka: { status: "down", since, reason: "no brokers" },
        process: { status: "up" },
        consumer: { status: "up" },
      },
    },
  ]);
  expect((await fetch(`${origin}/`)).status).toBe(404);
});

describe("/metrics", () => {
  async function scraped(metrics: ReturnType<typeof openMetrics>) {
    const reports = openHealth(LIMIT_MS, RUNS);
    const origin = await serveHealth("any", { reports, metrics }, { host: "127.0.0.1", port: 0 });
    const answer = await fetch(`${origin}/metrics`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    return seriesOf(await answer.text());
  }

  test("shows what /readyz says, check by check", async () => {
    const metrics = openMetrics();
    const health = openHealth(LIMIT_MS, RUNS);
    health.server("kafka", () => ({ reason: "no brokers" }));
    health.started();
    healthMetrics(metrics, health);
    expect(await scraped(metrics)).toMatchObject({
      'drawdown_check_up{check="kafka"}': 0,
      'drawdown_check_up{check="process"}': 1,
    });
  });

  test("counts as waiting for a connection only what no idle or further one can take at once", async () => {
    const metrics = openMetrics();
    const pools = {
      quiet: { totalCount: 3, idleCount: 3, waitingCount: 3, options: { max: 3 } },
      growing: { totalCount: 2, idleCount: 0, waitingCount: 1, options: { max: 3 } },
      taken: { totalCount: 3, idleCount: 0, waitingCount: 2, options: { max: 3 } },
    };
    poolMetrics(metrics, pools);
    expect(await scraped(metrics)).toMatchObject({
      'drawdown_pool_waiting{pool="quiet"}': 0,
      'drawdown_pool_waiting{pool="growing"}': 0,
      'drawdown_pool_waiting{pool="taken"}': 2,
    });
  });

  test("leaves out what cannot be read, or not in time, rather than serve it old, and says so", async () => {
    const metrics = openMetrics(100);
    let hangs = false;
    metrics.source("well", ({ gauge }) => gauge("a_count", "Any.").set(1));
    metrics.source("slow", async ({ gauge }) => {
      gauge("b_count", "Any.").set(2);
      if (hangs) await new Promise(() => undefined);
    });
    metrics.source("broken", ({ gauge }) => {
      gauge("c_count", "Any.").set(3);
      throw new Error("connection refused");
    });
    const up = (source: string) => `drawdown_metrics_source_up{source="${source}"}`;
    const broken = { a_count: 1, [up("well")]: 1, [up("broken")]: 0 };
    expect(await scraped(metrics)).toEqual({ ...broken, b_count: 2, [up("slow")]: 1 });
    hangs = true;
    expect(await scraped(metrics)).toEqual({ ...broken, [up("slow")]: 0 });
  });

  test("asks a source that hangs once, however often it is scraped", async () => {
    const metrics = openMetrics(10);
    const read = vi.fn(() => new Promise<void>(() => undefined));
    metrics.source("hangs", read);
    await Promise.all([metrics.text(), metrics.text()]);
    await metrics.text();
    expect(read).toHaveBeenCalledTimes(1);
  });
});

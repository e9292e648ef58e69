/**
 * What each service says of its health while servers go away and come back, and while it hangs. On separate
 * servers; the tests run in this order.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { API_SERVICE, WEBHOOKS_SERVICE } from "../../infra/local/services.ts";
import { type LocalStack, startStack } from "../../infra/local/stack.ts";
import { setUp } from "../../infra/set-up.ts";
import {
  type SimulatedGateway,
  startSimulatedGateway,
} from "../../infra/simulated-gateway/start-gateway.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { table } from "../docs/table.ts";
import { metricsTable } from "../infra/observability/observability.ts";
import { playScrapes, type Scrape } from "../infra/observability/play-scrapes.ts";
import { findPromtool } from "../infra/observability/promtool.ts";
import { connect, openAccount, setPrice } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher } from "../support/kafka/publish-usage.ts";
import { living } from "../support/living.ts";
import { askHealth, downOf } from "../support/processes/ask-health.ts";
import { askMetrics, metricsOf, seriesOf } from "../support/processes/ask-metrics.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import { startScheduler } from "../support/processes/scheduler-process.ts";
import { type ServiceProcess, startService } from "../support/processes/service-process.ts";
import { openPostgresProxy, type PostgresProxy } from "../support/processes/tcp-proxy.ts";
import { topUpProcess } from "../support/processes/top-up-process.ts";
import { ownPorts } from "../support/stack/ports.ts";
import { quickJava } from "../support/stack/quick-java.ts";

const ACCOUNT = "health";
/** Longer than a consumer takes to be back in its group after Kafka, on a busy machine. */
const STALLED_SECONDS = 40;
/** Longer than work may stand still. */
const OUTAGE_MS = 45_000;
const READS_ONLY_MS = 8_000;
const NOTICED_WITHIN_MS = 15_000;
const BACK_WITHIN_MS = 45_000;

let dataDir: string;
let stack: LocalStack;
let gateway: SimulatedGateway;
let env: NodeJS.ProcessEnv;
let database: Database;
let services: Readonly<Record<string, ServiceProcess>> = {};
const scrapes: Scrape[] = [];
const program = await findPromtool();

/** Panels of what does not happen here, or should not: no proof, no webhook endpoint, nothing wrong. */
const EMPTY_PANELS = [
  ...["Since the last proof", "Proved of what was compared", "Webhook queues by endpoint"],
  ...["Skipped records", "Checks that are down", "Metrics that could not be read"],
  "Keys that expire within 14 days, in",
];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "drawdown-health-"));
  const ports = ownPorts(1);
  stack = await startStack({ dataDir, ports, ...quickJava(), say: () => undefined });
  env = {
    ...process.env,
    ...stack.env,
    API_PORT: "0",
    HEALTH_STALLED_SECONDS: STALLED_SECONDS.toString(),
    SCHEDULER_CRON: "* * * * * *",
  };
  const gatewayDir = join(dataDir, "gateway");
  await mkdir(gatewayDir);
  gateway = await startSimulatedGateway({ dataDir: gatewayDir });
  await setUp({ ...env, ...stack.setUpEnv }, () => undefined);
  database = connect(stack.env.DATABASE_URL);
  await setPrice({ database }, "call", 1n);
  for (const id of ["hangs", "reads-only", "measured"]) {
    await openAccount({ database }, `${ACCOUNT}-${id}`, { lots: [{ credits: 1_000_000n }] });
  }
}, 120_000);

afterAll(async () => {
  await Promise.all(Object.values(services).map((service) => service.kill()));
  await gateway?.close();
  await database?.end();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

test("started without Kafka, each is alive, and not ready until it is there", async () => {
  await stack.parts.kafka.kill();
  const { DATABASE_URL: databaseUrl = "" } = env;
  services = {
    metering: startMetering(env),
    scheduler: startScheduler(env),
    topUp: topUpProcess({ databaseUrl, gatewayUrl: gateway.url, env }),
    api: startService(API_SERVICE, env),
  };
  await expectAllDown("kafka");
  await expectAllAlive();
  await stack.parts.kafka.start();
  await untilAllReady();
}, 120_000);

test("each serves its metrics, which the page lists, and metering what it has done", async () => {
  const webhooks = startService(WEBHOOKS_SERVICE, { ...env, WEBHOOK_ALLOW_PRIVATE: "true" });
  await webhooks.says(/^delivering webhooks$/);
  const all = { ...services, webhooks };
  scrapes.push(await scrape(all));
  await publish("measured", "measured", "nobody");
  const metering = () => scraped("metering");
  await eventually("all is metered, and that was looked at", async () => {
    const { drawdown_metering_batch_events_sum, ...found } = await metering();
    return (
      drawdown_metering_batch_events_sum === 3 && "drawdown_metering_lag_events" in sums(found)
    );
  });
  const found = await metering();
  expect(found).toMatchObject({
    drawdown_metering_events_total: 1,
    drawdown_metering_credits_total: 0.000001,
    drawdown_metering_repeats_total: 1,
    'drawdown_metering_dead_letters_total{reason="unknown_account"}': 1,
    drawdown_metering_low_balances_total: 0,
    'drawdown_pool_connections_max{pool="main"}': 6,
    'drawdown_check_up{check="postgres"}': 1,
  });
  for (const step of ["decode", "lock", "read", "price", "move", "write", "commit"]) {
    const series = `drawdown_metering_step_seconds_total{step="${step}"}`;
    expect([series, (found[series] ?? 0) > 0]).toEqual([series, true]);
  }
  expect(found["drawdown_metering_delay_seconds_count"]).toBeGreaterThan(0);
  expect(found["drawdown_metering_delay_seconds_sum"]).toBeLessThan(60);
  await eventually("nothing lags", async () => {
    const { drawdown_metering_lag_events: events, drawdown_metering_lag_seconds: seconds } = sums(
      await metering(),
    );
    return events === 0 && seconds === 0;
  });
  const runs = async () => sums(await scraped("scheduler"))["drawdown_scheduler_runs_total"] ?? 0;
  const before = sums(seriesOf(scrapes[0]?.["scheduler"] ?? ""))["drawdown_scheduler_runs_total"];
  await eventually("the scheduler has run", async () => (await runs()) > (before ?? 0));
  const texts = await scrape(all);
  scrapes.push(texts);
  await webhooks.stop();
  for (const text of Object.values(texts)) {
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).not.toContain(`${ACCOUNT}-`);
    expect(text).not.toMatch(/^drawdown_metrics_source_up\{.*\} 0$/m);
  }
  expect(metricsTable()).toBe(tableOf(texts));
}, 120_000);

test.skipIf(program === null)(
  "of what they serve, the panels of every dashboard draw something, and only the dead letter is an alert",
  async () => {
    const [first = {}, second = {}] = scrapes;
    const expected = { empty: EMPTY_PANELS, raised: ["DrawdownDeadLetters"] };
    await playScrapes(program ?? "", [first, second], expected);
  },
);

test.each(["registry", "kafka", "postgres"] as const)(
  "while %s is down, each names it and is not ready, and is ready again once it is back",
  async (part) => {
    const began = Date.now();
    await stack.parts[part].kill();
    for (const { since, reason } of await expectAllDown(part)) {
      expect(Date.parse(since ?? "")).toBeGreaterThanOrEqual(began - 1_000);
      expect(reason).toMatch(/./);
    }
    await expectAllAlive();
    await stack.parts[part].start();
    await untilAllReady();
  },
  120_000,
);

test("while Postgres only reads, each waits within its process, and works again by itself", async () => {
  const pids = Object.values(services).map(({ pid }) => pid);
  const watch = watchLiveness();
  await setReadOnly(true);
  await publish("reads-only");
  for (const { reason } of await expectAllDown("postgres")) expect(reason).toMatch(/only reads/);
  await wait(READS_ONLY_MS);
  await setReadOnly(false);
  await untilAllReady();
  await eventually("usage from meanwhile is metered", async () => {
    const { rowCount } = await database.query(
      "SELECT FROM usage_record WHERE event_id = 'reads-only'",
    );
    return rowCount === 1;
  });
  expect(await watch.stop()).toEqual([]);
  expect(await living(pids)).toEqual(pids);
}, 120_000);

test("through an outage of all servers, longer than work may stand still, each is alive, and comes back", async () => {
  const { postgres, kafka, registry } = stack.parts;
  const watch = watchLiveness();
  await Promise.all([registry.kill(), kafka.kill(), postgres.kill()]);
  await wait(OUTAGE_MS);
  await Promise.all([kafka.start(), postgres.start().then(() => registry.start())]);
  await untilAllReady();
  expect(await watch.stop()).toEqual([]);
}, 240_000);

test("usage that a frozen process does not meter is named by the other one", async () => {
  const { metering } = services;
  const other = startMetering({ ...env, HEALTH_STALLED_SECONDS: "2" });
  const isReady = async () => (await askHealth(other, "/readyz")).status === 200;
  await eventually("it is ready", isReady);
  await other.says(/^metering$/);
  metering?.freeze();
  await publish(...Array.from({ length: 40 }, (_, at) => `left-${at}`));
  const isNamed = async () => downOf(await askHealth(other, "/readyz")).includes("lag");
  await eventually("it names the lag", isNamed);
  metering?.thaw();
  await eventually("all is metered again", isReady, BACK_WITHIN_MS);
  expect(await other.stop()).toBe(0);
}, 120_000);

describe("while its servers are up, a process in which something hangs asks for a restart within twice the limit", () => {
  const LIMIT_MS = 2_000;
  const MARGIN_MS = 3_000;
  let proxy: PostgresProxy;
  let hung: ServiceProcess;
  const isAlive = async () => (await askHealth(hung, "/livez")).status === 200;
  const asksFor = async () => downOf(await askHealth(hung, "/livez"));

  beforeAll(async () => {
    await Promise.all(Object.values(services).map((service) => service.stop()));
    proxy = await openPostgresProxy(stack.env.DATABASE_URL);
    const limit = { HEALTH_STALLED_SECONDS: String(LIMIT_MS / 1000) };
    hung = startMetering({ ...env, DATABASE_URL: proxy.url, ...limit });
    await eventually("it is ready", async () => (await askHealth(hung, "/readyz")).status === 200);
  }, 60_000);

  afterAll(async () => {
    await hung?.kill();
    await proxy?.close();
  });

  test("the loop that publishes, and not any more once it has come round", async () => {
    const holder = new pg.Client({ connectionString: stack.superuserUrl });
    await holder.connect();
    try {
      await holder.query("BEGIN; LOCK TABLE outbox");
      const began = performance.now();
      await eventually("it asks", async () => !(await isAlive()));
      expect(performance.now() - began).toBeLessThan(5_000 + 2 * LIMIT_MS + MARGIN_MS);
      expect(await asksFor()).toEqual(["relay"]);
    } finally {
      await holder.end();
    }
    await eventually("it is alive", isAlive);
  });

  test("the consumer", async () => {
    const caught = proxy.catchNext(({ isAbout }) => isAbout(ACCOUNT), "freeze");
    await publish("hangs");
    await caught;
    const began = performance.now();
    await eventually("it asks", async () => !(await isAlive()));
    expect(performance.now() - began).toBeLessThan(2 * LIMIT_MS + MARGIN_MS);
    expect(await asksFor()).toEqual(["consumer"]);
    expect(downOf(await askHealth(hung, "/readyz"))).toContain("consumer");
  });
});

async function scraped(name: string): Promise<Record<string, number>> {
  const service = services[name];
  if (service === undefined) throw new Error(`there is no ${name}`);
  return seriesOf(await askMetrics(service));
}

/** Series summed over their labels. */
function sums(series: Readonly<Record<string, number>>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, value] of Object.entries(series)) {
    const metric = name.replace(/\{.*/, "");
    found[metric] = (found[metric] ?? 0) + value;
  }
  return found;
}

/** The page's table of what these services serve. */
async function scrape(processes: Readonly<Record<string, ServiceProcess>>): Promise<Scrape> {
  const served = Object.entries(processes).map(
    async ([name, process]) =>
      [name === "topUp" ? "top-up" : name, await askMetrics(process)] as const,
  );
  return Object.fromEntries(await Promise.all(served));
}

function tableOf(texts: Scrape): string {
  const all = Object.entries(texts);
  const found = all.flatMap(([service, text]) =>
    metricsOf(text).map((metric) => ({ service, ...metric })),
  );
  const byName = Map.groupBy(found, ({ name }) => name);
  const rows = [...byName].toSorted().map(([name, [first, ...others]]) => {
    const served = [first, ...others].flatMap((one) => one?.service ?? []);
    const by = served.length === all.length ? "each" : served.join(", ");
    return [`\`${name}\``, by, first?.type ?? "", first?.help ?? ""];
  });
  return table(["metric", "of", "type", "meaning"], rows);
}

/** Waits until a service is not ready because of a check, and returns it. */
async function expectDown(name: string, check: string) {
  const service = services[name];
  if (service === undefined) throw new Error(`there is no ${name}`);
  let found: { readonly since?: string; readonly reason?: string } | undefined;
  await eventually(
    `${name} names ${check}`,
    async () => {
      const answer = await askHealth(service, "/readyz");
      found = answer.body.checks[check];
      return answer.status === 503 && found?.reason !== undefined;
    },
    NOTICED_WITHIN_MS,
  );
  return found ?? {};
}

function expectAllDown(check: string) {
  return Promise.all(Object.keys(services).map((name) => expectDown(name, check)));
}

/** What is connected is cut off, as by a failover. */
async function setReadOnly(isReadOnly: boolean): Promise<void> {
  const superuser = new pg.Client({ connectionString: stack.superuserUrl });
  await superuser.connect();
  const name = superuser.escapeIdentifier(superuser.database ?? "");
  const setting = isReadOnly
    ? "SET default_transaction_read_only = on"
    : "RESET default_transaction_read_only";
  await superuser.query("SET default_transaction_read_only = off");
  await superuser.query(`ALTER DATABASE ${name} ${setting}`);
  await superuser.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await superuser.end();
}

async function untilAllReady(): Promise<void> {
  for (const [name, service] of Object.entries(services)) {
    let last: unknown;
    await eventually(
      `${name} is ready`,
      async () => {
        const answer = await askHealth(service, "/readyz");
        last = answer.body;
        return answer.status === 200;
      },
      BACK_WITHIN_MS,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}`);
    });
  }
}

async function expectAllAlive(): Promise<void> {
  for (const service of Object.values(services)) {
    expect((await askHealth(service, "/livez")).status).toBe(200);
  }
}

/** Asks all services every half second; `stop` returns the answers by which one would have been restarted. */
function watchLiveness() {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const bad: unknown[] = [];
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      for (const service of Object.values(services)) {
        const { status, body } = await askHealth(service, "/livez");
        if (status !== 200) bad.push(body);
      }
      await wait(500, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      return bad;
    },
  };
}

/** One event for each id, each of another account, so that every partition has some. */
async function publish(...ids: string[]): Promise<void> {
  const usage = await openUsagePublisher(testKafka(env), env);
  const events = ids.map((id) => ({ eventId: id, accountId: `${ACCOUNT}-${id}`, quantity: 1n }));
  await usage.publish(events);
  await usage.close();
}

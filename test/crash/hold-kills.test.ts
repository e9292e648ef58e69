import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../infra/local/free-port.ts";
import { API_SERVICE } from "../../infra/local/services.ts";
import { type LocalStack, startStack } from "../../infra/local/stack.ts";
import { setUp } from "../../infra/set-up.ts";
import { DEFAULT_ALERTS } from "../../shared/core/alerts/alert-settings.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { METERING } from "../../shared/core/text/topics.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { setAlerts } from "../../shared/ledger/alerts/alert-settings.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { forEachConcurrently } from "../../shared/runtime/for-each-concurrently.ts";
import { connect, openAccount, setPrice } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { eventually } from "../support/eventually.ts";
import { dismissMembers } from "../support/kafka/dismiss-members.ts";
import { type Collector, collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { makeKey } from "../support/processes/api.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import { type ServiceProcess, startService } from "../support/processes/service-process.ts";
import { ownPorts } from "../support/stack/ports.ts";
import { quickJava } from "../support/stack/quick-java.ts";
import { alertProblems, type ToldAlert } from "./naive-alerts.ts";
import { problemsOf, type Run, type Told, usedOf } from "./naive-runs.ts";

/**
 * A thousand runs at once against one account, each of which holds credits for an agent that has a budget, uses them,
 * and captures or gives back, while API, metering and Postgres are killed with SIGKILL and started again: nothing is
 * promised twice, neither of the account nor of a budget, nothing stays held, every sum is right, and each level of
 * a budget is told once. On separate servers.
 */
const PORTS = ownPorts(1);
const ACCOUNT = "runs";
const GRANTED = 700_000n;
/** Half of them have too little for their runs; together the others have more than the account. */
const AGENTS = Array.from({ length: 8 }, (_, at) => `agent-${at}`);
const SMALL = { agents: AGENTS.slice(0, 4), credits: 60_000n };
const USUAL = 150_000n;
const PERCENTS = [10, 30, 50, 80, 90, 100];
const LIMITS = {
  granted: GRANTED,
  budgetOf: (agent: string) => (SMALL.agents.includes(agent) ? SMALL.credits : USUAL),
};
const RUNS = 1_000;
const AT_ONCE = 64;
const ANSWERED_WITHIN_MS = 60_000;
const SEED = Date.now();

let dataDir: string;
let stack: LocalStack;
let env: NodeJS.ProcessEnv;
let database: Database;
let usage: UsagePublisher;
let told: Collector<Told & { readonly account_id: string }>;
let alerts: Collector<ToldAlert & { readonly account_id: string }>;
let key: string;
let metering: ServiceProcess;
const apis: Api[] = [];

/** An API that is started again at its address. */
interface Api {
  readonly origin: string;
  process: ServiceProcess;
  readonly env: NodeJS.ProcessEnv;
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "drawdown-holds-"));
  stack = await startStack({ dataDir, ports: PORTS, ...quickJava(), say: () => undefined });
  env = { ...process.env, ...stack.env };
  await setUp({ ...env, ...stack.setUpEnv }, () => undefined);
  database = connect(stack.env.DATABASE_URL);
  database.on("error", () => undefined);
  await setPrice({ database }, "call", 1n);
  await openAccount({ database }, ACCOUNT, { lots: [{ credits: GRANTED }] });
  await setLimits();
  key = await makeKey({ database } as Parameters<typeof makeKey>[0], ["ingest", "read", "billing"]);
  usage = await openUsagePublisher(testKafka(env), env);
  told = await collectTopic(testKafka(env), SCHEMAS.holds);
  alerts = await collectTopic(testKafka(env), SCHEMAS.alerts);
  metering = startMetering(env);
  const taken = new Set<number>();
  for (const at of [0, 1]) apis.push(startApi(await freePort(PORTS.postgres + 8 + at, taken)));
  await metering.says(/^metering$/);
  for (const { process } of apis) await process.says(/^serving$/);
}, 120_000);

afterAll(async () => {
  for (const { process } of apis) await process.kill();
  await metering?.kill();
  await told?.stop();
  await alerts?.stop();
  await usage?.close();
  await database?.end();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

async function setLimits(): Promise<void> {
  const settings = { ...DEFAULT_ALERTS, budgetPercents: PERCENTS, runwayDays: null };
  const at = { accountId: toAccountId(ACCOUNT), now: Date.now(), by: "test" };
  await setAlerts(database, at, settings);
  const all = { window: "all" } as const;
  await setBudgetOf({ database }, ACCOUNT, "agent", { ...all, credits: USUAL });
  for (const value of SMALL.agents) {
    await setBudgetOf({ database }, ACCOUNT, "agent", { ...all, value, credits: SMALL.credits });
  }
}

test("nothing is promised twice, nothing stays held, and every sum is right", async () => {
  console.log(`runs through kills: seed ${SEED}`);
  const random = randomFrom(SEED);
  const runs: Run[] = [];
  const stopping = new AbortController();
  const kills = killAgainAndAgain(random, stopping.signal);
  const numbers = Array.from({ length: RUNS }, (_, at) => at);
  await forEachConcurrently(numbers, AT_ONCE, async (at) => {
    runs.push(await play(at, random));
  });
  stopping.abort();
  const killed = await kills;
  await untilCaughtUp(testKafka(env), database, 30_000);
  await eventually("nothing is held", async () => (await accountRow()).held === 0n, 20_000);
  await eventually(
    "all is told",
    async () => {
      const row = await accountRow();
      const has = (of: Pick<typeof told | typeof alerts, "received">, last: bigint) =>
        of.received.some(({ record }) => record.sequence === last);
      return has(told, row.changes) && has(alerts, row.alerts);
    },
    20_000,
  );

  const records = told.received
    .map(({ record }) => record)
    .filter(({ account_id }) => account_id === ACCOUNT)
    .sort((a, b) => Number(a.sequence - b.sequence));
  expect(problemsOf(LIMITS, runs, records)).toEqual([]);
  const ofBudgets = alerts.received.map(({ record }) => record);
  expect(alertProblems(LIMITS, runs, PERCENTS, ofBudgets)).toEqual([]);
  expect(await spentOf()).toEqual(
    Object.fromEntries(
      AGENTS.map((agent) => [agent, String(usedOf(runs.filter((run) => run.agent === agent)))]),
    ),
  );
  expect((await accountRow()).position).toBe(usedOf(runs));
  expect(await brokenInvariants(database)).toEqual([]);
  // It would prove little if nobody was refused, or nothing killed.
  expect(runs.some(({ given }) => given !== null)).toBe(true);
  expect([...refusals].sort()).toEqual(["budget_used_up", "insufficient_credits"]);
  expect(ofBudgets.length).toBeGreaterThan(0);
  expect(Math.min(killed.api, killed.metering, killed.postgres)).toBeGreaterThan(0);
  await expectAvailable(GRANTED - usedOf(runs));
}, 120_000);

/** A run: it holds, uses all or some of that, and captures what it used, or gives back what it did not need. */
async function play(at: number, random: () => number): Promise<Run> {
  const asked = BigInt(1_000 + Math.floor(random() * 3_000));
  const agent = AGENTS[at % AGENTS.length] ?? "";
  const holdId = `run-${at}`;
  const run: Run = { holdId, asked, agent, given: null, used: new Map(), captured: null };
  const path = `holds/${run.holdId}`;
  const dimensions = { agent };
  const hold = { hold_id: holdId, credits: String(asked), partial: at % 5 === 0, dimensions };
  const answer = await ask("POST", "holds", { ...hold, ttl_seconds: at % 7 === 0 ? 2 : 900 });
  if (answer.status === 402) {
    refusals.add(String(answer.body.type).split(":").at(-1) ?? "");
    return run;
  }
  if (answer.status !== 201) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  run.given = BigInt(answer.body.credits);
  if (at % 7 === 0) return run;
  if (at % 7 === 1) {
    await expectOk(ask("POST", `${path}/release`));
    return run;
  }
  const events = 1n + BigInt(Math.floor(random() * 3));
  for (let event = 0n; event < events; event += 1n) {
    run.used.set(`${run.holdId}-${event}`, run.given / (events + BigInt(at % 3)));
  }
  const published = [...run.used].map(([eventId, quantity]) => ({
    ...{ eventId, quantity, accountId: ACCOUNT, holdId, occurredAt: STARTED, dimensions },
  }));
  await usage.publish(published);
  if (at % 4 === 0) await usage.publish(published);
  run.captured = [...run.used.values()].reduce((total, each) => total + each, 0n);
  await expectOk(ask("POST", `${path}/capture`, { credits: String(run.captured) }));
  return run;
}

const STARTED = Date.now();
/** Why runs were refused. */
const refusals = new Set<string>();

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any route
  readonly body: any;
}

async function expectOk(answered: Promise<Answer>): Promise<void> {
  const { status, body } = await answered;
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
}

/** Asks one API or the other until one answers; what was done already is answered the same. */
async function ask(method: string, path: string, body: unknown = {}): Promise<Answer> {
  let answer: Answer | undefined;
  await eventually(
    `an API answers ${method} ${path}`,
    async () => {
      answer = await askOnce(method, path, body);
      return answer !== undefined;
    },
    ANSWERED_WITHIN_MS,
  );
  return answer ?? expect.fail("eventually has waited for it");
}

/** Undefined: an API or Postgres was killed. */
async function askOnce(method: string, path: string, body: unknown): Promise<Answer | undefined> {
  const api = apis[Math.floor(Math.random() * apis.length)];
  try {
    const response = await fetch(`${api?.origin}/v1/accounts/${ACCOUNT}/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (response.status < 500) return { status: response.status, body: await response.json() };
  } catch {
    // It was killed, or Postgres was.
  }
  return undefined;
}

/** Kills a process or Postgres at random moments, each at least once, until it is to stop; then all are up. */
async function killAgainAndAgain(random: () => number, stopping: AbortSignal) {
  const killed = { api: 0, metering: 0, postgres: 0 };
  const order = ["api", "metering", "postgres"] as const;
  for (let turn = 0; turn < order.length || !stopping.aborted; turn += 1) {
    await sleep(200 + random() * 600);
    const what = order[turn % order.length] ?? "api";
    killed[what] += 1;
    if (what === "postgres") {
      await stack.parts.postgres.kill();
      await stack.parts.postgres.start();
    } else if (what === "metering") {
      await metering.kill();
      await dismissMembers(testKafka(env), stack.env.KAFKA_BROKERS, METERING);
      metering = startMetering(env);
    } else {
      const api = apis[turn % apis.length];
      if (api === undefined) continue;
      await api.process.kill();
      api.process = startService(API_SERVICE, api.env);
      await api.process.says(/^serving$/);
    }
  }
  return killed;
}

function startApi(port: number): Api {
  const ofApi = { ...env, API_PORT: String(port) };
  const origin = `http://127.0.0.1:${port}`;
  return { origin, env: ofApi, process: startService(API_SERVICE, ofApi) };
}

async function accountRow() {
  const { rows } = await database.query<Record<"held" | "position" | "changes" | "alerts", bigint>>(
    "SELECT held, position, hold_changes AS changes, alerts FROM account WHERE account_id = $1",
    [ACCOUNT],
  );
  if (rows[0] === undefined) throw new Error("the account is gone");
  return rows[0];
}

/** What each agent has spent of its budget; nothing is held of it. */
async function spentOf(): Promise<Record<string, string>> {
  const { body } = await ask("GET", "budgets");
  const agents: { value: string | null; spent: string; held: string }[] = body.items;
  expect(agents.map(({ held }) => held)).toEqual(agents.map(() => "0"));
  return Object.fromEntries(
    agents.flatMap(({ value, spent }) => (value === null ? [] : [[value, spent]])),
  );
}

/** What is left is given to the micro-credit, and not one more. */
async function expectAvailable(left: bigint): Promise<void> {
  const holds = async (holdId: string, credits: bigint) =>
    (await ask("POST", "holds", { hold_id: holdId, credits: String(credits) })).status;
  expect(await holds("one too many", left + 1n)).toBe(402);
  if (left > 0n) expect(await holds("the rest", left)).toBe(201);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

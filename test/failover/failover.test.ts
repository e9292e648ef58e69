/**
 * The primary dies (SIGKILL) under load and its standby takes over: services go on without a restart. A synchronous
 * standby has all that was answered; one that is behind is a restore to the instant that it had come to.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { setUp } from "../../infra/set-up.ts";
import {
  type SimulatedGateway,
  startSimulatedGateway,
} from "../../infra/simulated-gateway/start-gateway.ts";
import { type Books, connect, openAccount, setPrice } from "../support/books/books.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openPayer, sellCredits, setCard } from "../support/books/payers.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type GatewayClient, gatewayClient } from "../support/processes/gateway-client.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import { TURN_MS, takeTopUpGroup, topUpProcess } from "../support/processes/top-up-process.ts";
import { openReplicatedServer, type ReplicatedServer } from "./replicated-server.ts";

const USING = ["failover-using-1", "failover-using-2", "failover-using-3"];
/** Their charges are under way, or not in the books, as the primary dies. */
const BUYING = "failover-buying";
const HOLDING = "failover-holding";
const CREDIT = 1_000_000n;
const BATCH = 20;
const WITHIN_MS = 60_000;
/** `npm run test:failover`, for what takes longer. */
const IS_LONG = process.env["FAILOVER_BEHIND"] === "1";

const kafka = testKafka();
let giveBack: (() => Promise<void>)[] = [];
let server: ReplicatedServer;
let books: Books;
let usage: UsagePublisher;
let running: SimulatedGateway;
let gateway: GatewayClient;
let services: ServiceProcess[] = [];

beforeAll(async () => {
  giveBack = [await takeUsageTopic(kafka), await takeTopUpGroup(kafka)];
  server = await openReplicatedServer();
  const env = { ...process.env, DATABASE_URL: server.url, DATABASE_OWNER_URL: server.ownerUrl };
  await setUp(env, () => undefined);
  const database = connect(server.superuserUrl);
  books = { url: server.url, database, close: () => database.end() };
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  for (const id of [...USING, HOLDING]) {
    await openAccount(books, id, { lots: [{ credits: 100n * CREDIT }] });
  }
  await openPayer(books, BUYING, { card: "card_slow" });
  usage = await openUsagePublisher(kafka);
  running = await startSimulatedGateway({ dataDir: await mkdtemp(join(tmpdir(), "failover-")) });
  gateway = gatewayClient(running.url);
}, TURN_MS);

afterAll(async () => {
  await Promise.all(services.map((service) => service.kill()));
  await usage?.close();
  await running?.close();
  await books?.close();
  await server?.close();
  for (const back of giveBack) await back();
});

test("a synchronous standby loses nothing that was answered, and each event is metered once", {
  timeout: 300_000,
}, async () => {
  await server.addStandby("synchronous");
  services = startServices();
  const load = startLoad();
  await useMore(6n);
  // It is charged, and its answer is still to come.
  await eventually("the gateway charges", async () => (await charges()).length === 1, WITHIN_MS);
  expect(await paymentsOf(BUYING)).toEqual(["low-balance:1 pending"]);

  await server.killPrimary();
  const killed = performance.now();
  const next = `failover-${made + 1}`;
  await server.failOver();
  const promoted = performance.now();
  await eventually("metering goes on", () => isMetered(next), WITHIN_MS);
  tell(promoted - killed, performance.now() - killed);

  const { held } = await load.stop();
  await caughtUp(1);
  await expectMetered();
  const { rows } = await books.database.query("SELECT hold_id FROM hold WHERE account_id = $1", [
    HOLDING,
  ]);
  expect(rows.map(({ hold_id }) => hold_id)).toEqual(expect.arrayContaining([...held]));
  expect(await charges()).toHaveLength(1);
  await expectProved();
});

test.runIf(IS_LONG)(
  "with one that was behind, usage and charges come back by themselves, and nobody is charged twice",
  { timeout: 300_000 },
  async () => {
    await setCard(books, BUYING, "card_approve");
    await server.addStandby("asynchronous");
    await server.cutOff();
    const load = startLoad();
    // Two needs, which are one where all of it is metered at once.
    for (const topUps of [2, 3]) {
      await useMore(600n);
      await untilPaid(topUps);
    }
    const charged = await charges();
    expect(charged).toHaveLength(3);
    await server.killPrimary();
    await server.failOver();
    await load.stop();
    await caughtUp(3);
    await expectMetered();
    expect(await charges()).toEqual(charged);
    expect(await brokenInvariants(books.database)).toEqual([]);
  },
);

function startServices(): ServiceProcess[] {
  return [
    startMetering({ ...process.env, DATABASE_URL: server.url }),
    topUpProcess({ databaseUrl: server.url, gatewayUrl: gateway.url }),
  ];
}

interface Load {
  /** Ends it once what it sends is sent. `held`: the holds that were answered. */
  stop(): Promise<{ readonly held: readonly string[] }>;
}

/** Usage by turns of three accounts, and holds of another, until it is stopped. */
function startLoad(): Load {
  const stopping = new AbortController();
  const held: string[] = [];
  const pool = connect(server.url);
  const publish = async () => {
    while (!stopping.signal.aborted) {
      await usage.publish(Array.from({ length: BATCH }, nextEvent));
      await sleep(20);
    }
  };
  const hold = async () => {
    while (!stopping.signal.aborted) {
      const holdId = `hold-${randomUUID()}`;
      const asked = askedHold(HOLDING, holdId, 1n);
      // During the failover nothing is answered.
      const outcome = await changeHold({ database: pool }, asked).catch(() => null);
      if (outcome?.kind === "held") held.push(holdId);
      await sleep(outcome === null ? 100 : 5);
    }
  };
  const running = Promise.all([publish(), hold(), hold()]);
  return {
    async stop() {
      stopping.abort();
      await running;
      await pool.end();
      return { held };
    },
  };
}

const published = new Map<string, { events: number; quantity: number }>();

/** Counted by itself: what the books must come to. */
function count(accountId: string, quantity: bigint): void {
  const before = published.get(accountId) ?? { events: 0, quantity: 0 };
  published.set(accountId, {
    events: before.events + 1,
    quantity: before.quantity + Number(quantity),
  });
}

let made = 0;

function nextEvent() {
  made += 1;
  const accountId = USING[made % USING.length] ?? "";
  const quantity = BigInt(1 + (made % 5));
  count(accountId, quantity);
  return { eventId: `failover-${made}`, accountId, quantity };
}

/** One event of the account that buys. */
async function useMore(credits: bigint): Promise<void> {
  made += 1;
  const quantity = credits * CREDIT;
  count(BUYING, quantity);
  await usage.publish([{ eventId: `failover-${made}`, accountId: BUYING, quantity }]);
}

/** Not while there is no primary. */
async function isMetered(eventId: string): Promise<boolean> {
  const query = "SELECT FROM usage_record WHERE event_id = $1";
  const found = await books.database.query(query, [eventId]).catch(() => null);
  return found?.rowCount === 1;
}

function charges(): Promise<unknown[]> {
  return gateway.payments(`?account_id=${BUYING}`);
}

async function paymentsOf(accountId: string): Promise<string[]> {
  const query = `SELECT payment_id || ' ' || status AS payment FROM payment WHERE account_id = $1 ORDER BY 1`;
  const { rows } = await books.database.query<{ payment: string }>(query, [accountId]);
  return rows.map(({ payment }) => payment);
}

/** All usage is metered, so many top-ups are paid, and everything is published. */
async function caughtUp(topUps: number): Promise<void> {
  await untilCaughtUp(kafka, books.database, WITHIN_MS);
  await untilPaid(topUps);
  const waiting = "SELECT FROM outbox UNION ALL SELECT FROM balance_change";
  await eventually(
    "everything is published",
    async () => (await books.database.query(waiting)).rowCount === 0,
    WITHIN_MS,
  );
}

async function untilPaid(topUps: number): Promise<void> {
  const query = "SELECT FROM payment WHERE account_id = $1 AND status = 'succeeded'";
  await eventually(
    `${topUps} top-ups are paid`,
    async () => (await books.database.query(query, [BUYING])).rowCount === topUps,
    WITHIN_MS,
  );
}

/** Each event once, with its quantity. */
async function expectMetered(): Promise<void> {
  const { rows } = await books.database.query(
    `SELECT account_id, count(*)::float8 AS events, count(DISTINCT event_id)::float8 AS ids,
            sum(quantity)::float8 AS quantity
     FROM usage_record GROUP BY account_id ORDER BY account_id`,
  );
  const expected = [...published].map(([account_id, { events, quantity }]) => {
    return { account_id, events, ids: events, quantity };
  });
  expect(rows).toEqual(expected.toSorted((a, b) => (a.account_id < b.account_id ? -1 : 1)));
}

async function expectProved(): Promise<void> {
  expect(await brokenInvariants(books.database)).toEqual([]);
  const env = { DATABASE_URL: server.url };
  const { stdout } = await drawdown(["reconcile", "--json"], { env });
  const found = JSON.parse(stdout) as { differences: { account_id: string; kind: string }[] };
  expect(found.differences.filter(({ account_id }) => account_id.startsWith("failover"))).toEqual(
    [],
  );
  expect((await drawdown(["doctor"], { env })).code).toBe(0);
}

/** Figures of docs/operating.md, with `npm run test:failover`. */
function tell(promotedMs: number, meteredMs: number): void {
  if (!IS_LONG) return;
  const [promoted, metered] = [promotedMs, meteredMs].map((ms) => (ms / 1_000).toFixed(1));
  console.log(
    `promoted ${promoted} s after the primary was killed, metered again after ${metered} s`,
  );
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type SimulatedGateway,
  startSimulatedGateway,
} from "../../infra/simulated-gateway/start-gateway.ts";
import { TOP_UP } from "../../shared/core/text/topics.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { balanceOf, openPayer, sellCredits, topUpsOf, use } from "../support/books/payers.ts";
import { eventually } from "../support/eventually.ts";
import { dismissMembers } from "../support/kafka/dismiss-members.ts";
import { type Collector, collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { type GatewayClient, gatewayClient } from "../support/processes/gateway-client.ts";
import { type GatewayGate, openGatewayGate } from "../support/processes/gateway-gate.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import {
  type Fate,
  openPostgresProxy,
  type PostgresProxy,
} from "../support/processes/tcp-proxy.ts";
import { TURN_MS, takeTopUpGroup, topUpProcess } from "../support/processes/top-up-process.ts";
import { followWay, LOOK_AGAIN, type Place, STEPS } from "./top-up-steps.ts";

/**
 * The top-up service, as a real process, killed with SIGKILL at each step between reading a low balance
 * and publishing the result, and started again. Then the gateway's own log has exactly one charge, and
 * the books exactly one lot.
 *
 * Each step uses a separate account. The process that recovers from one kill is the one that the next
 * step kills.
 */
const WITHIN_MS = 60_000;
const TEST_MS = 120_000;
const kafka = testKafka();
const brokers = process.env["KAFKA_BROKERS"] ?? "";

let giveBack: () => Promise<void>;
let topUps: Collector<{ status: string; top_up_id: string }>;
let lowBalances: Collector<{ crossing: bigint }>;
let books: Books;
let proxy: PostgresProxy;
let dataDir: string;
let gateway: SimulatedGateway;
let log: GatewayClient;
let gate: GatewayGate;
let service: ServiceProcess | null = null;
let accounts = 0;
let account: string;

beforeAll(async () => {
  giveBack = await takeTopUpGroup(kafka);
  topUps = await collectTopic(kafka, SCHEMAS.topUps);
  lowBalances = await collectTopic(kafka, SCHEMAS.lowBalance);
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  proxy = await openPostgresProxy(books.url);
  dataDir = await mkdtemp(join(tmpdir(), "drawdown-gateway-"));
  gateway = await startSimulatedGateway({ dataDir });
  log = gatewayClient(gateway.url);
  gate = await openGatewayGate(gateway.url);
}, TURN_MS);

afterAll(async () => {
  await service?.kill();
  await gate?.close();
  await gateway?.close();
  await rm(dataDir, { recursive: true, force: true });
  await proxy?.close();
  await books?.close();
  await Promise.all([topUps?.stop(), lowBalances?.stop()]);
  await giveBack?.();
});

beforeEach(() => {
  accounts += 1;
  account = `killed-${Date.now()}-${accounts}`;
  // So that pending is published separately, and the steps are the same each time.
  gate.beforeCall = async (call) => {
    if (call === "charge") await untilPublished();
  };
});

test(
  "these are all the steps: every statement that the service sends belongs to one of them",
  async () => {
    const seen = new Set<Place>();
    for (const card of ["card_approve", "card_500_after_charge"]) {
      account = `${account}-${card}`;
      await openPayer(books, account, { card: `${card}-${account}` });
      await atWork();
      await runLow(() => {
        const placeOf = followWay(account);
        void proxy.catchNext((statement) => {
          seen.add(placeOf(statement));
          return false;
        }, "freeze");
      });
      await expectCharges(1);
      proxy.release();
    }
    seen.delete("idle");
    expect([...seen].toSorted()).toEqual(STEPS.toSorted());
  },
  TEST_MS,
);

describe("killed before it sends", () => {
  test.each(STEPS)("%s", async (step) => await killAtStatement(step, "freeze"), TEST_MS);
});

const DONE = STEPS.filter((step) => /: COMMIT$|^(noting|putting)/.test(step));

describe("killed after Postgres has executed it, before the answer arrives", () => {
  test.each(DONE)(
    "%s",
    async (step) => await killAtStatement(step, "withhold the answer"),
    TEST_MS,
  );
});

test(
  "killed while it re-checks an account that used up the lot before it came: charged once more",
  async () => {
    gate.beforeCall = async () => {
      gate.beforeCall = untilPublished;
      await use(books, { [account]: 500_000_000n });
    };
    const placeOf = followWay(account);
    await killAt("card_approve", () =>
      proxy.catchNext((said) => placeOf(said) === LOOK_AGAIN, "withhold the answer"),
    );
    await expectCharges(2);
  },
  TEST_MS,
);

describe("killed while the gateway is called", () => {
  test.each([
    { what: "before the charge reaches it", call: "charge", at: "request", card: "card_approve" },
    { what: "when it has charged", call: "charge", at: "answer", card: "card_approve" },
    { what: "before it is asked", call: "question", at: "request", card: "card_500_after_charge" },
    { what: "before it answers", call: "question", at: "answer", card: "card_500_after_charge" },
  ] as const)(
    "$what",
    async ({ call, at, card }) => {
      await killAt(card, () => gate.holdNext(call, at));
      await expectCharges(1);
    },
    TEST_MS,
  );

  test(
    "after it has charged and never answers",
    async () => {
      await killAt("card_timeout_after_charge", async () => {
        await eventually("it is charged", async () => (await charges()).length > 0, WITHIN_MS);
      });
      await expectCharges(1);
    },
    TEST_MS,
  );
});

/**
 * The relay may read the outbox in the instant between the proxy and a COMMIT of another connection, and
 * then publishes what a later stage would. Such a run has nothing to catch: another account takes its place.
 */
async function killAtStatement(step: Place, fate: Fate): Promise<void> {
  const card = step.startsWith("putting it off") ? "card_500_after_charge" : "card_approve";
  for (const run of ["", "-second", "-third"]) {
    account = `${account}${run}`;
    const placeOf = followWay(account);
    const catchStep = () => proxy.catchNext((said) => placeOf(said) === step, fate);
    const { reached } = await start(card, catchStep);
    if (!(await Promise.race([reached.then(() => true), isOver()]))) continue;
    await killAndRestart();
    await expectCharges(1);
    return;
  }
  throw new Error(`three accounts were charged without the step: ${step}`);
}

/** Resolves with false once the account's top-up has succeeded and a statement caught last would be known. */
async function isOver(): Promise<false> {
  await eventually("the top-up has succeeded", () => hasSucceeded(1), WITHIN_MS);
  await untilPublished();
  await wait(500);
  return false;
}

/** Lets the service run until `caught`, kills it there and restarts it. */
async function killAt(card: string, caught: () => Promise<unknown>): Promise<void> {
  const { reached } = await start(card, caught);
  await reached;
  await killAndRestart();
}

/** An account with a card runs low, while the service is at work; `caught` begins to watch just before. */
async function start(card: string, caught: () => Promise<unknown>) {
  await openPayer(books, account, { card: `${card}-${account}` });
  await atWork();
  let reached: Promise<unknown> = Promise.resolve();
  await runLow(() => {
    reached = caught();
  });
  return { reached };
}

async function killAndRestart(): Promise<void> {
  await kill();
  await endClaim();
  await atWork();
}

/** The running service, with nothing to do. */
async function atWork(): Promise<void> {
  service ??= topUpProcess({ databaseUrl: proxy.url, gatewayUrl: gate.url });
  await service.says(/^topping up$/, WITHIN_MS);
  await untilLooked();
}

async function kill(): Promise<void> {
  proxy.release();
  gate.release();
  await service?.kill();
  service = null;
  await dismissMembers(kafka, brokers, TOP_UP);
}

/** Uses more than the balance; the service learns of it only after `watch` has begun. */
async function runLow(watch: () => void): Promise<void> {
  const relay = new pg.Client({ connectionString: books.url });
  await relay.connect();
  try {
    await relay.query("SELECT pg_advisory_lock(hashtext('drawdown.outbox-relay'))");
    await use(books, { [account]: 6_000_000n });
    watch();
  } finally {
    await relay.end();
  }
}

/** Ends a claim, as happens by itself after a minute. */
async function endClaim(): Promise<void> {
  await books.database.query(
    "UPDATE payment SET next_try_at = now() WHERE account_id = $1 AND next_try_at > now()",
    [account],
  );
}

/** Each low balance of the account was charged for once, posted once and published once. */
async function expectCharges(count: 1 | 2): Promise<void> {
  const crossings = Array.from({ length: count }, (_, index) => index + 1);
  await eventually("the top-up has succeeded", () => hasSucceeded(count), WITHIN_MS);
  await untilPublished();
  await untilLooked();
  await eventually("both are told", () => told(topUps).length >= 2 * count, WITHIN_MS);

  expect(await charges()).toMatchObject(
    crossings.map(() => ({ amount: "1000", status: "succeeded" })),
  );
  expect(await topUpsOf(books, account)).toEqual(
    crossings.map((crossing) => ({
      paymentId: `low-balance:${crossing}`,
      status: "succeeded",
      amount: 1000n,
    })),
  );
  expect(await lots()).toEqual([
    { lot_id: `${account}-lot-1`, credits: 5_000_000n },
    ...crossings.map((crossing) => ({
      lot_id: `top-up:low-balance:${crossing}`,
      credits: 500_000_000n,
    })),
  ]);
  expect(await balanceOf(books, account)).toBe(499_000_000n);
  expect(told(topUps).map(({ sequence, record }) => [sequence, record.status])).toEqual(
    crossings.flatMap((crossing) => [
      [`${crossing * 2 - 1}`, "pending"],
      [`${crossing * 2}`, "succeeded"],
    ]),
  );
  expect(told(lowBalances).map(({ record }) => record.crossing)).toEqual(crossings.map(BigInt));
  expect(await brokenInvariants(books.database, account)).toEqual([]);
}

async function hasSucceeded(count: 1 | 2): Promise<boolean> {
  const topUps = await topUpsOf(books, account);
  return topUps.length === count && topUps.every(({ status }) => status === "succeeded");
}

/** An account's records on a topic, without repeats by sequence. */
function told<R>({ received }: Collector<R>) {
  const ours = received.filter(({ key }) => key === account);
  return [...new Map(ours.map((one) => [one.sequence, one])).values()];
}

async function charges(): Promise<unknown[]> {
  return log.payments(`?account_id=${account}`);
}

async function lots() {
  const { rows } = await books.database.query<{ lot_id: string; credits: bigint }>(
    "SELECT lot_id, credits FROM lot WHERE account_id = $1 ORDER BY start_position",
    [account],
  );
  return rows;
}

async function untilPublished(): Promise<void> {
  await untilNone("all is published", "SELECT FROM outbox");
}

/** Auto top-up has checked every account that was waiting for it. */
async function untilLooked(): Promise<void> {
  await untilNone("all are looked at", "SELECT FROM auto_top_up WHERE look_at IS NOT NULL");
}

async function untilNone(what: string, query: string): Promise<void> {
  const isDone = async () => (await books.database.query(query)).rows.length === 0;
  await eventually(what, isDone, WITHIN_MS);
}

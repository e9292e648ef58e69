import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { reservePort } from "../../infra/local/reserve-port.ts";
import { WEBHOOK_PATH } from "../../services/top-up/webhook-server.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { LOW_BALANCE_READER, TOPICS } from "../../shared/core/text/topics.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import { checkPaymentNow } from "../../shared/ledger/payments/claim.ts";
import { listRefunds, requestRefund } from "../../shared/ledger/payments/refunds.ts";
import { setAutoTopUp } from "../../shared/ledger/payments/set-auto-top-up.ts";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import {
  balanceOf,
  openPayer,
  sellCredits,
  topUpsOf,
  untilPayment,
  use,
} from "../support/books/payers.ts";
import { paymentsByClock } from "../support/books/payments-by-clock.ts";
import { outboxOf } from "../support/cli/every-table.ts";
import { eventually } from "../support/eventually.ts";
import { type Collector, collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";
import {
  startTopUp,
  TURN_MS,
  takeTopUpGroup,
  WEBHOOK_SECRET,
} from "../support/processes/top-up-process.ts";
import { ownPorts } from "../support/stack/ports.ts";

/**
 * Money taken back: refunded from here, refunded at the gateway itself, or charged back by the bank.
 * Unspent credits are withdrawn, spent ones become debt, once each; auto top-up stops and charges
 * nothing.
 *
 * The account begins with 5 credits, uses 6, and is topped up by 500 for USD 10.
 */
const WITHIN_MS = 60_000;
const TEST_MS = 180_000;
const CREDIT = 1_000_000n;
const HOUR = 60 * 60_000;
const kafka = testKafka();

let giveBack: () => Promise<void>;
let topUps: Collector<{ status: string; reason: string }>;
let payments: Collector<{ kind: string; status: string; amount: bigint }>;
let books: Books;
let gateway: GatewayInProcess;
let account: string;

beforeAll(async () => {
  giveBack = await takeTopUpGroup(kafka);
  topUps = await collectTopic(kafka, SCHEMAS.topUps);
  payments = await collectTopic(kafka, SCHEMAS.payments);
}, TURN_MS);

afterAll(async () => {
  await topUps?.stop();
  await payments?.stop();
  await giveBack?.();
});

beforeEach(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  account = `refunded-${Date.now()}`;
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

describe("at the gateway itself, reported by webhook", () => {
  test(
    "a refund: unspent credits are withdrawn, spent ones are owed, and nothing is charged again",
    async () => {
      const payment = await toppedUp();
      await use(books, { [account]: 100n * CREDIT });
      await gateway.send("POST", `${payment}/refunds`, { amount: "1000" }, "r1");
      await untilRefunds(1);
      // Of 500 bought, 101 were spent: 399 are withdrawn, 101 owed. It had 399.
      expect(await refunds()).toEqual([["refund", "posted", 1000n]]);
      expect(await sums()).toEqual({ withdrawn: `${399n * CREDIT}`, owed: `${101n * CREDIT}` });
      expect(await balanceOf(books, account)).toBe(-101n * CREDIT);
      await expectStopped(/A top-up was refunded/);
      const published = () => payments.received.filter(({ key }) => key === account);
      await eventually("the refund is published", () => published().length >= 3, WITHIN_MS);
      expect(published().map(({ record }) => record)).toMatchObject([
        { kind: "top_up", status: "pending", amount: 1000n },
        { kind: "top_up", status: "succeeded", amount: 1000n },
        { kind: "refund", status: "posted", amount: 1000n },
      ]);
    },
    TEST_MS,
  );

  test(
    "the same refund and its webhook repeated: once",
    async () => {
      const payment = await toppedUp("card_webhook_twice");
      for (let time = 0; time < 3; time += 1) {
        await gateway.send("POST", `${payment}/refunds`, { amount: "400" }, "r1");
      }
      await untilRefunds(1);
      await gateway.send("POST", `${payment}/refunds`, { amount: "100" }, "r2");
      await untilRefunds(2);
      expect(await refunds()).toEqual([
        ["refund", "posted", 400n],
        ["refund", "posted", 100n],
      ]);
      expect(await balanceOf(books, account)).toBe(249n * CREDIT);
    },
    TEST_MS,
  );

  test(
    "a chargeback: all of it, and nothing is charged again until the customer switches it on",
    async () => {
      const payment = await toppedUp();
      await use(books, { [account]: 300n * CREDIT });
      await gateway.send("POST", `${payment}/refunds`, { amount: "400" }, "r1");
      await untilRefunds(1);
      await gateway.send("POST", `${payment}/chargeback`);
      await untilRefunds(2);
      expect(await refunds()).toEqual([
        ["refund", "posted", 400n],
        ["chargeback", "posted", 600n],
      ]);
      expect(await balanceOf(books, account)).toBe(-301n * CREDIT);
      await expectStopped(/taken back by the bank/);

      const at = { accountId: toAccountId(account), now: Date.now() };
      expect(
        await setAutoTopUp(books.database, { ...at, by: "test" }, { enabled: true }),
      ).toMatchObject({
        kind: "set",
      });
      await eventually("it is charged", async () => (await charges()).length === 2, WITHIN_MS);
      await untilPayment(books, account, "succeeded", WITHIN_MS);
      expect(await balanceOf(books, account)).toBe(199n * CREDIT);
    },
    TEST_MS,
  );
});

describe("requested here", () => {
  test(
    "twenty times concurrently: the gateway refunds once, and the credits are taken once",
    async () => {
      await toppedUp();
      const asked = await Promise.all(Array.from({ length: 20 }, () => ask("r1", 400n)));
      expect(asked.map(({ kind }) => kind).toSorted()).toEqual([
        ...Array.from({ length: 19 }, () => "already_exists"),
        "pending",
      ]);
      await untilRefunds(1);
      expect(await refunds()).toEqual([["refund", "posted", 400n]]);
      expect(await takenBack()).toMatchObject([{ kind: "refund", amount: "400" }]);
      expect(await balanceOf(books, account)).toBe(299n * CREDIT);
    },
    TEST_MS,
  );

  test(
    "more than was paid, in concurrent parts: never more is refunded than was paid",
    async () => {
      await toppedUp();
      const asked = await Promise.all(
        Array.from({ length: 6 }, (_, index) => ask(`r${index}`, 300n)),
      );
      expect(asked.filter(({ kind }) => kind === "pending")).toHaveLength(3);
      expect(asked.filter(({ kind }) => kind === "exceeds_refundable")).toHaveLength(3);
      await untilRefunds(3);
      expect(await takenBack()).toMatchObject([
        ...[{ amount: "300" }, { amount: "300" }, { amount: "300" }],
      ]);
      expect(await balanceOf(books, account)).toBe(49n * CREDIT);
    },
    TEST_MS,
  );

  test(
    "with a chargeback meanwhile: the gateway refuses the rest, and the refusal is published",
    async () => {
      const payment = await toppedUp("card_no_webhook");
      await gateway.send("POST", `${payment}/chargeback`);
      expect(await ask("r1", 400n)).toMatchObject({ kind: "pending" });
      await untilRefunds(2);
      const all = (await refunds()).toSorted();
      expect(all).toEqual([
        ["chargeback", "posted", 1000n],
        ["refund", "refused", 400n],
      ]);
      expect(await balanceOf(books, account)).toBe(-1n * CREDIT);
    },
    TEST_MS,
  );
});

describe("a chargeback while the next top-up is under way", () => {
  test.each([
    { what: "succeeds", script: ["500_after_charge"], status: "succeeded", told: ["succeeded"] },
    {
      what: "is declined",
      script: ["500_before_charge", "decline"],
      status: "failed",
      told: ["failed"],
    },
  ])("and then $what: nothing more is charged", async ({ script, status, told }) => {
    const payments = await openByClock();
    await use(books, { [account]: 6n * CREDIT });
    await payments.pass(0);
    await use(books, { [account]: 600n * CREDIT });
    await gateway.send("PUT", `/v1/cards/card_approve-${account}`, { script });
    await payments.pass(0);
    expect(await topUpsOf(books, account)).toMatchObject([
      { status: "succeeded" },
      { status: "pending" },
    ]);
    await chargeBackFirst(payments.now());
    await payments.pass(48 * HOUR);
    expect(await refunds()).toEqual([["chargeback", "posted", 1000n]]);
    expect(await topUpsOf(books, account)).toMatchObject([{ status: "succeeded" }, { status }]);
    expect(await charges()).toHaveLength(2);
    expect(await stopped()).toMatch(/taken back by the bank/);
    expect((await notices()).slice(3)).toEqual(["stopped", ...told]);
  });

  async function chargeBackFirst(now: number): Promise<void> {
    const [first] = await charges();
    await gateway.send("POST", `/v1/payments/${first?.id}/chargeback`);
    const payment = { accountId: toAccountId(account), paymentId: "low-balance:1" };
    expect(await checkPaymentNow(books.database, payment, now)).toBe(true);
  }

  async function notices() {
    const told = await outboxOf(books, account, TOPICS.topUps);
    return told.map((notice) => notice["status"]);
  }
});

async function openByClock() {
  gateway = await openGateway();
  await openPayer(books, account, { card: `card_approve-${account}` });
  const lowOnes = [toAccountId(account)];
  const clock = { startAt: Date.now(), stepMs: HOUR };
  return paymentsByClock(books, { gatewayUrl: gateway.url, ...clock, lowOnes });
}

/** Has the service top up an account; returns the path of its payment at the gateway. */
async function toppedUp(card = "card_approve"): Promise<string> {
  const { port, release } = await reservePort(ownPorts(1).registry + 1);
  await release();
  const webhooks = { url: `http://127.0.0.1:${port}${WEBHOOK_PATH}`, secret: WEBHOOK_SECRET };
  gateway = await openGateway({ webhooks });
  await openPayer(books, account, { card });
  const env = { WEBHOOK_PORT: `${port}` };
  const service = startTopUp({ databaseUrl: books.url, gatewayUrl: gateway.url, env });
  await service.says(/^topping up$/, WITHIN_MS);
  await use(books, { [account]: 6n * CREDIT });
  await untilPayment(books, account, "succeeded", WITHIN_MS);
  const [charge] = await charges();
  expect(charge?.amount).toBe("1000");
  return `/v1/payments/${charge?.id}`;
}

async function ask(refundId: string, amount: bigint) {
  const payment = { accountId: toAccountId(account), paymentId: "low-balance:1" };
  return requestRefund(books.database, {
    ...{ ...payment, refundId, amount, by: "test" },
    now: Date.now(),
  });
}

interface Charge {
  readonly id: string;
  readonly amount: string;
}

/** The gateway's own log. */
async function charges(): Promise<Charge[]> {
  return (await gateway.payments(`?account_id=${account}`)) as Charge[];
}

/** The amounts taken back, by the gateway's own log. */
async function takenBack(): Promise<unknown> {
  const [charge] = await charges();
  return (await gateway.read(`/v1/payments/${charge?.id}/refunds`)).body["taken_back"];
}

async function refunds() {
  const payment = { accountId: toAccountId(account), paymentId: "low-balance:1" };
  const all = await listRefunds(books.database, payment);
  return all.map(({ kind, status, amount }) => [kind, status, amount]);
}

async function sums() {
  const { rows } = await books.database.query(
    "SELECT sum(withdrawn)::text AS withdrawn, sum(owed)::text AS owed FROM refund",
  );
  return rows[0];
}

/** Waits until `count` have finished, and their records are consumed. */
async function untilRefunds(count: number): Promise<void> {
  await eventually(
    `${count} went back`,
    async () => {
      const all = await refunds();
      return all.length === count && all.every(([, status]) => status !== "pending");
    },
    WITHIN_MS,
  );
  await untilNone("all is done", "SELECT FROM payment WHERE next_try_at IS NOT NULL");
  await untilNone("all is published", "SELECT FROM outbox");
  const until = await ends();
  await eventually(
    "all low balances are heard",
    async () => {
      const places = await readOffsets(books.database, LOW_BALANCE_READER);
      return [...until].every(([partition, end]) => (places.get(partition) ?? 0n) >= end);
    },
    WITHIN_MS,
  );
}

/** Auto top-up has stopped, this was published, and there was only one charge. */
async function expectStopped(reason: RegExp): Promise<void> {
  expect(await stopped()).toMatch(reason);
  const told = () => topUps.received.filter(({ key }) => key === account).at(-1)?.record;
  await eventually("it is told", () => told()?.status === "stopped", WITHIN_MS);
  expect(told()?.reason).toMatch(reason);
  expect(await topUpsOf(books, account)).toHaveLength(1);
  expect(await charges()).toHaveLength(1);
}

async function stopped(): Promise<string | null | undefined> {
  const { rows } = await books.database.query<{ stopped: string | null }>(
    "SELECT stopped FROM auto_top_up",
  );
  return rows[0]?.stopped;
}

async function ends(): Promise<ReadonlyMap<number, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(TOPICS.lowBalance);
  await admin.disconnect();
  return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
}

async function untilNone(what: string, query: string): Promise<void> {
  const isDone = async () => (await books.database.query(query)).rows.length === 0;
  await eventually(what, isDone, WITHIN_MS);
}

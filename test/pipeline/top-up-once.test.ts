import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from "vitest";
import { openSimulatedGateway } from "../../services/top-up/gateways/simulated/gateway.ts";
import { type ChargeContext, processPayment } from "../../services/top-up/process-payment.ts";
import { settlingInSets } from "../../services/top-up/settle-in-sets.ts";
import { REFERENCE } from "../../shared/core/line/reference.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { LOW_BALANCE_READER, TOPICS } from "../../shared/core/text/topics.ts";
import { openEncoder } from "../../shared/kafka/codec/encoder.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { readAutoTopUp } from "../../shared/ledger/books/auto-top-ups.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import { type ClaimedPayment, claimPayments } from "../../shared/ledger/payments/claim.ts";
import { setAutoTopUp } from "../../shared/ledger/payments/set-auto-top-up.ts";
import { topUpByHand } from "../../shared/ledger/payments/top-up-account.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { topUpIfLow } from "../support/books/one-payment.ts";
import {
  balanceOf,
  openPayer,
  sellCredits,
  topUpsOf,
  untilPayment,
  use,
} from "../support/books/payers.ts";
import { zoneAtNoon } from "../support/books/zone-at-noon.ts";
import { outboxOf } from "../support/cli/every-table.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Collector,
  collectTopic,
  rawProducer,
  silent,
  testKafka,
} from "../support/kafka/kafka.ts";
import { openGatewayGate } from "../support/processes/gateway-gate.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";
import {
  startTopUp,
  TURN_MS,
  takeTopUpGroup,
  WEBHOOK_SECRET,
} from "../support/processes/top-up-process.ts";

/**
 * One charge for one low balance, however often it is published, however many services receive it, and
 * whatever is used meanwhile: by the gateway's own log.
 */
const WITHIN_MS = 60_000;
const TEST_MS = 180_000;
const CREDIT = 1_000_000n;
const kafka = testKafka();

let giveBack: () => Promise<void>;
let topUps: Collector<{ status: string; top_up_id: string }>;
let books: Books;
let gateway: GatewayInProcess;
let prefix: string;

beforeAll(async () => {
  giveBack = await takeTopUpGroup(kafka);
  topUps = await collectTopic(kafka, SCHEMAS.topUps);
}, TURN_MS);

afterAll(async () => {
  await topUps?.stop();
  await giveBack?.();
});

beforeEach(async () => {
  books = await openBooks();
  gateway = await openGateway();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  prefix = `once-${Date.now()}`;
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

test(
  "a low balance published ten times, to five concurrent services, in any order, is charged once",
  async () => {
    const accounts = Array.from({ length: 8 }, (_, index) => `${prefix}-${index}`);
    for (const [index, account] of accounts.entries()) {
      // Half of them are repeated while they are in flight.
      await openPayer(books, account, { card: index % 2 === 0 ? "card_slow" : "card_approve" });
    }
    await use(books, Object.fromEntries(accounts.map((account) => [account, 6n * CREDIT])));
    const services = Array.from({ length: 5 }, () => start());
    const starting = services.map((service) => service.says(/^topping up$/, WITHIN_MS));
    await say(accounts, 5);
    await Promise.all(starting);
    await say(accounts, 5);
    for (const account of accounts) await untilPayment(books, account, "succeeded", WITHIN_MS);
    await say(accounts, 10);
    await untilAllHeard();

    expect((await charges()).toSorted()).toEqual(
      accounts.map((account) => `${account} low-balance:1 1000 succeeded`),
    );
    for (const account of accounts) {
      expect(await balanceOf(books, account)).toBe(499n * CREDIT);
      await eventually("both are told", () => told(account).length >= 2, WITHIN_MS);
      expect(told(account)).toEqual(["pending", "succeeded"]);
    }
    expect(await Promise.all(services.map((service) => service.stop()))).toEqual([0, 0, 0, 0, 0]);
  },
  TEST_MS,
);

describe("in the books", () => {
  const accountId = toAccountId("payer");

  test("checked twenty times concurrently, an account gets one pending top-up", async () => {
    await openPayer(books, "payer");
    await use(books, { payer: 6n * CREDIT });
    const looks = Array.from({ length: 20 }, () =>
      topUpIfLow(books.database, { accountId, now: Date.now() }),
    );
    const made = (await Promise.all(looks)).filter(
      (looked) => "topUp" in looked && looked.topUp !== null,
    );
    expect(made).toHaveLength(1);
    expect(await topUpsOf(books, "payer")).toEqual([
      { paymentId: "low-balance:1", status: "pending", amount: 1000n },
    ]);
  });

  test("twenty concurrent top-ups by hand and a low balance: one is pending", async () => {
    await openPayer(books, "payer");
    await use(books, { payer: 6n * CREDIT });
    const at = { accountId, now: Date.now() };
    const outcomes = await Promise.all([
      ...Array.from({ length: 20 }, (_, index) =>
        topUpByHand(books.database, at, {
          paymentId: REFERENCE.manualTopUp.write({ key: `${index}` }),
          amount: 500n,
        }),
      ),
      topUpIfLow(books.database, at),
    ]);
    const refused = outcomes.filter((one) => "kind" in one && one.kind === "top_up_pending");
    expect(refused.length).toBeGreaterThanOrEqual(19);
    expect(await topUpsOf(books, "payer")).toMatchObject([{ status: "pending" }]);
  });

  test.each([
    { card: "card_approve", status: "succeeded", declines: 0, told: ["pending", "succeeded"] },
    { card: "card_decline", status: "failed", declines: 1, told: ["pending", "failed", "paused"] },
  ])(
    "taken by five processes, as when claims have expired, a payment with $card is settled once",
    async ({ card, status, declines, told }) => {
      await openPayer(books, "payer", { card });
      await use(books, { payer: 6n * CREDIT });
      await topUpIfLow(books.database, { accountId, now: Date.now() });
      const claims: ClaimedPayment[] = [];
      for (let claim = 0; claim < 5; claim += 1) claims.push(...(await claimAgain(claim)));
      await Promise.all(claims.map((claimed) => processPayment(taking(), claimed)));
      expect(claims).toHaveLength(5);
      expect(await topUpsOf(books, "payer")).toMatchObject([{ status }]);
      expect(await readAutoTopUp(books.database, accountId)).toMatchObject({ declines });
      expect(await gateway.payments()).toHaveLength(1);
      const notices = await outboxOf(books, "payer", TOPICS.topUps);
      expect(notices.map((notice) => notice["status"])).toEqual(told);
    },
  );

  /** Each claim has expired when the next one comes. */
  function claimAgain(time: number): Promise<ClaimedPayment[]> {
    const now = Date.now() + time * 1_000;
    const claim = { gateway: "simulated", limit: 10, leaseMs: 1_000 };
    return claimPayments(books.database, { now, ...claim });
  }

  function taking(): ChargeContext {
    const webhookSecret = WEBHOOK_SECRET;
    const simulated = openSimulatedGateway({ url: gateway.url, webhookSecret });
    const context = { database: books.database, now: Date.now };
    return { ...context, gateway: simulated, logger: silent, settle: settlingInSets(context) };
  }

  test("a second pending top-up of an account is refused by the table itself", async () => {
    await openPayer(books, "payer");
    await use(books, { payer: 6n * CREDIT });
    await topUpIfLow(books.database, { accountId, now: Date.now() });
    const second = books.database.query(
      `INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                            attempt, calls, reason, created_at, attempted_at)
       SELECT account_id, 'second', kind, status, amount, currency, credits, 'never', 1, 0, '',
              now(), now()
       FROM payment`,
    );
    await expect(second).rejects.toThrow(/top_up_in_flight/);
  });
});

test(
  "a large shortfall is one charge of enough whole multiples to lift the balance",
  async () => {
    const account = `${prefix}-large`;
    await openPayer(books, account);
    await use(books, { [account]: 2_000n * CREDIT });
    await atWork();
    await untilPayment(books, account, "succeeded", WITHIN_MS);
    await untilAllHeard();
    expect(await charges()).toEqual([`${account} low-balance:1 4000 succeeded`]);
    expect(await balanceOf(books, account)).toBe(5n * CREDIT);
  },
  TEST_MS,
);

describe("while a slow charge is pending", () => {
  test(
    "usage becomes debt, the lot repays it, and nothing more is charged",
    async () => {
      const account = await useMeanwhile(200n * CREDIT);
      await untilPayment(books, account, "succeeded", WITHIN_MS);
      await untilAllHeard();
      expect(await balanceOf(books, account)).toBe(299n * CREDIT);
      expect(await crossings(account)).toBe(1n);
      expect(await charges()).toEqual([`${account} low-balance:1 1000 succeeded`]);
    },
    TEST_MS,
  );

  test(
    "usage beyond the lot publishes low balance again, and a second top-up follows",
    async () => {
      const account = await useMeanwhile(1_100n * CREDIT);
      await eventually(
        "both are charged",
        async () => (await topUpsOf(books, account)).filter(isPaid).length === 2,
        WITHIN_MS,
      );
      await untilAllHeard();
      expect(await crossings(account)).toBe(2n);
      expect(await charges()).toEqual([
        `${account} low-balance:1 1000 succeeded`,
        `${account} low-balance:2 2000 succeeded`,
      ]);
      expect(await balanceOf(books, account)).toBe(399n * CREDIT);
    },
    TEST_MS,
  );

  /** Uses more while the first charge is under way, then lets that one through. */
  async function useMeanwhile(micro: bigint): Promise<string> {
    const account = `${prefix}-slow`;
    await openPayer(books, account);
    const gate = await openGatewayGate(gateway.url);
    onTestFinished(() => gate.close());
    const [onItsWay, used] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    gate.beforeCall = () => {
      onItsWay.resolve();
      return used.promise;
    };
    await atWork(gate.url);
    await use(books, { [account]: 6n * CREDIT });
    await onItsWay.promise;
    expect(await topUpsOf(books, account)).toMatchObject([{ status: "pending" }]);
    await use(books, { [account]: micro });
    expect(await balanceOf(books, account)).toBe(-1n * CREDIT - micro);
    used.resolve();
    return account;
  }
});

test.each([
  { per: "day", limits: { limitPerDay: 2_500n, limitPerMonth: 100_000n } },
  { per: "month", limits: { limitPerDay: 100_000n, limitPerMonth: 2_500n } },
])(
  "the limit of a $per holds for any number of concurrent top-ups",
  async ({ limits }) => {
    const accounts = ["a", "b", "c"].map((name) => `${prefix}-${name}`);
    for (const account of accounts) {
      await openPayer(books, account, { timeZone: zoneAtNoon() });
      const at = { accountId: toAccountId(account), now: Date.now() };
      expect(await setAutoTopUp(books.database, { ...at, by: "test" }, limits)).toMatchObject({
        kind: "set",
      });
    }
    await atWork();
    for (let round = 0; round < 6; round += 1) {
      await use(books, Object.fromEntries(accounts.map((account) => [account, 600n * CREDIT])));
      await Promise.all(accounts.flatMap((account) => askAtOnce(account, `${round}`)));
      await say(accounts, 2);
      await eventually("none is pending", async () => (await pending()) === 0, WITHIN_MS);
    }
    await untilAllHeard();
    for (const account of accounts) {
      const sum = await sumCharged(account);
      expect(sum).toBeLessThanOrEqual(2_500n);
      // None of the requests fits into what is left.
      expect(sum).toBeGreaterThan(2_500n - 700n);
    }
  },
  TEST_MS,
);

function askAtOnce(account: string, round: string): Promise<unknown>[] {
  const at = { accountId: toAccountId(account), now: Date.now() };
  return Array.from({ length: 10 }, (_, index) =>
    topUpByHand(books.database, at, {
      paymentId: REFERENCE.manualTopUp.write({ key: `${round}-${index}` }),
      amount: 700n,
    }),
  );
}

function start(gatewayUrl = gateway.url): ServiceProcess {
  return startTopUp({ databaseUrl: books.url, gatewayUrl });
}

async function atWork(gatewayUrl?: string): Promise<void> {
  await start(gatewayUrl).says(/^topping up$/, WITHIN_MS);
}

/** Publishes each account's low balance `times` times, shuffled and over all partitions. */
async function say(accounts: readonly string[], times: number): Promise<void> {
  const encode = await openEncoder(
    openRegistry(readSettings(process.env).registry),
    SCHEMAS.lowBalance,
  );
  const producer = await rawProducer(kafka);
  const partitions = (await ends()).size;
  const messages = accounts.flatMap((account, index) => {
    const value = encode({
      ...{ account_id: account, crossing: 1n, balance: -1n * CREDIT, threshold: 0n },
      ...{ cause: "event:use", occurred_at: Date.now() },
    });
    return Array.from({ length: times }, (_, time) => ({
      ...{ key: account, value, headers: { sequence: "1" } },
      partition: (index + time) % partitions,
    }));
  });
  await producer.send({ topic: TOPICS.lowBalance, messages: messages.toSorted(byLuck) });
  await producer.disconnect();
}

function byLuck(): number {
  return Math.random() - 0.5;
}

/** Waits until everything pending is published, and the service has finished with each named account. */
async function untilAllHeard(): Promise<void> {
  await eventually("all is published", () => isEmpty("SELECT FROM outbox"), WITHIN_MS);
  const until = await ends();
  await eventually(
    "all low balances are heard",
    async () => {
      const places = await readOffsets(books.database, LOW_BALANCE_READER);
      return [...until].every(([partition, end]) => (places.get(partition) ?? 0n) >= end);
    },
    WITHIN_MS,
  );
  const looking = "SELECT FROM auto_top_up WHERE look_at <= now()";
  await eventually("all are looked at again", () => isEmpty(looking), WITHIN_MS);
  await eventually("none is pending", async () => (await pending()) === 0, WITHIN_MS);
}

async function ends(): Promise<ReadonlyMap<number, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(TOPICS.lowBalance);
  await admin.disconnect();
  return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
}

async function isEmpty(query: string): Promise<boolean> {
  return (await books.database.query(query)).rows.length === 0;
}

async function pending(): Promise<number> {
  return (await books.database.query("SELECT FROM payment WHERE status = 'pending'")).rows.length;
}

interface Charge {
  readonly account_id: string;
  readonly payment_id: string;
  readonly amount: string;
  readonly status: string;
}

/** The gateway's own log. */
async function charges(): Promise<string[]> {
  const log = (await gateway.payments()) as Charge[];
  return log.map((one) => `${one.account_id} ${one.payment_id} ${one.amount} ${one.status}`);
}

async function sumCharged(account: string): Promise<bigint> {
  const log = (await gateway.payments(`?account_id=${account}`)) as Charge[];
  return log.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

function isPaid({ status }: { status: string }): boolean {
  return status === "succeeded";
}

async function crossings(account: string): Promise<bigint | undefined> {
  const { rows } = await books.database.query<{ crossings: bigint }>(
    "SELECT crossings FROM account WHERE account_id = $1",
    [account],
  );
  return rows[0]?.crossings;
}

/** The account's published records, without repeats. */
function told(account: string): string[] {
  const ours = topUps.received.filter(({ key }) => key === account);
  return [...new Map(ours.map(({ sequence, record }) => [sequence, record.status])).values()];
}

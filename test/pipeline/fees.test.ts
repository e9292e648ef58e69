import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import { type Books, connect, openBooks } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { balanceOf, setCard, untilPayment } from "../support/books/payers.ts";
import { type PaymentsByClock, paymentsByClock } from "../support/books/payments-by-clock.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { eventually } from "../support/eventually.ts";
import { collectTopic, testKafka } from "../support/kafka/kafka.ts";
import type { Statement } from "../support/processes/postgres-frames.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";
import {
  type Fate,
  openPostgresProxy,
  type PostgresProxy,
} from "../support/processes/tcp-proxy.ts";
import { startTopUp, TURN_MS, takeTopUpGroup } from "../support/processes/top-up-process.ts";

/**
 * The price of a subscription, USD 10 a month or USD 100 a year for 100 credits a month, charged through
 * the gateway and checked in its own log; on a test clock that runs through days.
 */
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const BEGAN = Date.parse("2026-06-10T08:00:00Z");
const accountId = toAccountId("subscriber");

let books: Books;
let gateway: GatewayInProcess;
let payments: PaymentsByClock;

beforeEach(async () => {
  books = await openBooks();
  gateway = await openGateway();
  await openCatalogue(books);
  payments = paymentsByClock(books, {
    gatewayUrl: gateway.url,
    startAt: BEGAN,
    stepMs: 8 * HOUR,
    lowOnes: [accountId],
  });
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

describe("by the service", () => {
  let giveBack: () => Promise<void>;

  beforeAll(async () => {
    giveBack = await takeTopUpGroup(testKafka());
  }, TURN_MS);

  afterAll(async () => await giveBack?.());

  test("charged once, as the subscription starts, however many processes run", async () => {
    const payments = await collectTopic<{ status: string; plan_id: string }>(
      testKafka(),
      SCHEMAS.payments,
    );
    await subscribe("card_approve", "month", Date.now());
    const services = [0, 1].map(() =>
      startTopUp({ databaseUrl: books.url, gatewayUrl: gateway.url }),
    );
    await Promise.all(services.map((service) => service.says(/^topping up$/, 60_000)));
    await untilPayment(books, "subscriber", "succeeded", 60_000);
    expect(await charges()).toEqual(["fee:1:0 1000 succeeded"]);
    for (const status of ["pending", "succeeded"]) {
      const isPublished = () =>
        payments.received.some(
          ({ key, record }) =>
            key === "subscriber" && record.status === status && record.plan_id === "hundred",
        );
      await eventually(`the fee is published as ${status}`, isPublished, 60_000);
    }
    await payments.stop();
    expect(await Promise.all(services.map((service) => service.stop()))).toEqual([0, 0]);
    expect(await charges()).toEqual(["fee:1:0 1000 succeeded"]);
  }, 180_000);
});

test("charged once at each turn of the month", async () => {
  await subscribe("card_approve");
  await payments.pass(80 * DAY);
  expect(await charges()).toEqual([
    "fee:1:0 1000 succeeded",
    "fee:1:1 1000 succeeded",
    "fee:1:2 1000 succeeded",
  ]);
  expect(await months()).toEqual([
    "plan:1:0 2026-06-10",
    "plan:1:1 2026-07-01",
    "plan:1:2 2026-08-01",
  ]);
});

describe("a card that is declined", () => {
  beforeEach(() => subscribe("card_decline"));

  test("is retried 1, 3, 5 and 7 days after the fee fell due, and then no more", async () => {
    await payments.pass(40 * DAY);
    expect(payments.asked.map(({ at }) => (at - BEGAN) / DAY)).toEqual([0, 1, 3, 5, 7]);
    expect((await charges()).length).toBe(5);
    expect(await standing()).toEqual([{ payment_id: "fee:1:0", status: "failed", attempt: 5 }]);
  });

  test("that then succeeds within the seven days is charged once, without interruption", async () => {
    await payments.pass(4 * DAY);
    await setCard(books, "subscriber", "card_approve", payments.now());
    await payments.pass(DAY);
    expect((await charges()).slice(-1)).toEqual(["fee:1:0 1000 succeeded"]);
    await payments.pass(20 * DAY);
    expect(await months()).toEqual(["plan:1:0 2026-06-10", "plan:1:1 2026-07-01"]);
    expect(await taken()).toEqual(["fee:1:0 1000 succeeded", "fee:1:1 1000 succeeded"]);
    expect(await changes()).toEqual(["subscribed"]);
  });

  test("until it is given up suspends the subscription: the next month brings no credits and costs nothing", async () => {
    await payments.pass(40 * DAY);
    expect(await months()).toEqual(["plan:1:0 2026-06-10"]);
    expect(await changes()).toEqual(["subscribed", "suspended"]);
    expect(await balanceOf(books, "subscriber")).toBe(100_000_000n);
  });

  test("and replaced after a month without credits: charged for the month owed and for the current one, and restored", async () => {
    await payments.pass(25 * DAY);
    await setCard(books, "subscriber", "card_approve", payments.now());
    await payments.pass(0);
    expect(await taken()).toEqual(["fee:1:0 1000 succeeded", "fee:1:1 1000 succeeded"]);
    expect(await months()).toEqual(["plan:1:0 2026-06-10", "plan:1:1 2026-07-05"]);
    expect(await changes()).toEqual(["subscribed", "suspended", "restored"]);
    await payments.pass(40 * DAY);
    expect(await months()).toEqual([
      ...["plan:1:0 2026-06-10", "plan:1:1 2026-07-05", "plan:1:2 2026-08-01"],
    ]);
    expect(await taken()).toHaveLength(3);
  });

  test("and replaced two months later: the unpaid month is neither granted nor charged", async () => {
    await payments.pass(60 * DAY);
    await setCard(books, "subscriber", "card_approve", payments.now());
    await payments.pass(DAY);
    expect(await months()).toEqual(["plan:1:0 2026-06-10", "plan:1:2 2026-08-09"]);
    expect(await taken()).toEqual(["fee:1:0 1000 succeeded", "fee:1:2 1000 succeeded"]);
  });

  test("and replaced by another declined one is tried once per card", async () => {
    await payments.pass(25 * DAY);
    for (const card of ["card_decline-2", "card_decline_hard-3"]) {
      await setCard(books, "subscriber", card, payments.now());
      await payments.pass(3 * DAY);
    }
    expect(await charges()).toHaveLength(7);
    expect(await changes()).toEqual(["subscribed", "suspended"]);
  });
});

test("a declined year, paid two months later: the withheld months are granted then, each once", async () => {
  await subscribe("card_decline", "year");
  await payments.pass(60 * DAY);
  expect(await months()).toEqual(["plan:1:0 2026-06-10"]);
  await setCard(books, "subscriber", "card_approve", payments.now());
  await payments.pass(30 * DAY);
  expect(await taken()).toEqual(["fee:1:0 10000 succeeded"]);
  expect(await months()).toEqual([
    ...["plan:1:0 2026-06-10", "plan:1:1 2026-08-09", "plan:1:2 2026-08-09", "plan:1:3 2026-09-01"],
  ]);
});

test("a fee with an unknown outcome is neither charged twice nor retried: it is queried", async () => {
  await subscribe("card_500_after_charge");
  await payments.pass(3 * DAY);
  expect(await charges()).toEqual(["fee:1:0 1000 succeeded"]);
  expect(await standing()).toEqual([{ payment_id: "fee:1:0", status: "succeeded", attempt: 1 }]);
});

describe("a plan whose first credits come when its fee is paid", () => {
  test("brings them with the payment, once, and later months at their turns", async () => {
    await subscribe("card_approve", "month", BEGAN, "hundred-paid");
    expect([await months(), await balanceOf(books, "subscriber")]).toEqual([[], 0n]);
    await payments.pass(0);
    expect(await months()).toEqual(["plan:1:0 2026-06-10"]);
    expect(await balanceOf(books, "subscriber")).toBe(100_000_000n);
    await payments.pass(22 * DAY);
    expect(await taken()).toEqual(["fee:1:0 1000 succeeded", "fee:1:1 1000 succeeded"]);
    expect(await months()).toEqual(["plan:1:0 2026-06-10", "plan:1:1 2026-07-01"]);
    expect(await changes()).toEqual(["subscribed", "started"]);
  });

  test("brings none while the card is declined, also as months begin; paid late, they come then", async () => {
    await subscribe("card_decline", "month", BEGAN, "hundred-paid");
    await payments.pass(22 * DAY);
    expect(await standing()).toEqual([{ payment_id: "fee:1:0", status: "failed", attempt: 5 }]);
    expect([await months(), await balanceOf(books, "subscriber")]).toEqual([[], 0n]);
    await setCard(books, "subscriber", "card_approve", payments.now());
    await payments.pass(DAY);
    expect(await taken()).toEqual(["fee:1:0 1000 succeeded", "fee:1:1 1000 succeeded"]);
    expect(await months()).toEqual(["plan:1:0 2026-07-02", "plan:1:1 2026-07-02"]);
    expect(await balanceOf(books, "subscriber")).toBe(200_000_000n);
  });

  test("brings them once wherever the connection to Postgres is lost on the way", async () => {
    const proxy = await openPostgresProxy(books.url);
    const database = connect(proxy.url);
    try {
      const losses = [
        await loseEach({ ...books, database }, proxy, "cut", () => true),
        await loseEach({ ...books, database }, proxy, "lose the answer", isCommit),
      ];
      expect(losses[0]?.length).toBeGreaterThan(15);
      expect(losses[1]?.length).toBeGreaterThan(1);
      const accounts = losses.flat().toSorted();
      expect((await taken()).length).toBe(accounts.length);
      const { rows } = await books.database.query(
        "SELECT account_id, lot_id, credits FROM lot ORDER BY account_id",
      );
      const lot = { lot_id: "plan:1:0", credits: 100_000_000n };
      expect(rows).toEqual(accounts.map((account_id) => ({ account_id, ...lot })));
    } finally {
      await database.end();
      await proxy.close();
    }
  });

  /**
   * Charges a first fee for each statement of its way, whose connection is lost there, and again once its
   * claim is over. Returns the accounts.
   */
  async function loseEach(
    through: Books,
    proxy: PostgresProxy,
    fate: Fate,
    when: (statement: Statement) => boolean,
  ): Promise<string[]> {
    const accounts: string[] = [];
    for (let lost = true; lost; ) {
      const account = `${fate.toString().replaceAll(" ", "-")}-${accounts.length + 100}`;
      await openSubscriber(books, account, { at: BEGAN, planId: "hundred-paid" });
      await setCard(books, account, "card_approve", BEGAN);
      lost = false;
      let before = accounts.length;
      const isNext = (statement: Statement) => when(statement) && before-- === 0;
      void proxy.catchNext(isNext, fate).then(() => {
        lost = true;
      });
      const clock = { gatewayUrl: gateway.url, startAt: BEGAN, stepMs: 2 * 60_000 };
      const way = paymentsByClock(through, clock);
      await way.pass(0).catch((error: unknown) => expect(isDatabaseOutage(error)).toBe(true));
      proxy.release();
      await way.pass(2 * 60_000);
      accounts.push(account);
    }
    return accounts;
  }

  const isCommit = ({ sql }: Statement) => sql === "COMMIT";
});

async function subscribe(
  card: string,
  interval: "month" | "year" = "month",
  at = BEGAN,
  planId = "hundred",
): Promise<void> {
  await openSubscriber(books, "subscriber", { at, interval, planId });
  await setCard(books, "subscriber", card, at);
}

interface Charge {
  readonly payment_id: string;
  readonly amount: string;
  readonly status: string;
}

/** The gateway's own log. */
async function charges(): Promise<string[]> {
  const log = (await gateway.payments()) as Charge[];
  return log.map(({ payment_id, amount, status }) => `${payment_id} ${amount} ${status}`);
}

async function taken(): Promise<string[]> {
  return (await charges()).filter((charge) => charge.endsWith("succeeded"));
}

async function standing() {
  const { rows } = await books.database.query(
    "SELECT payment_id, status, attempt FROM payment ORDER BY created_at",
  );
  return rows;
}

/** The months' credits, and the day of each grant. */
async function months(): Promise<string[]> {
  const { rows } = await books.database.query<{ month: string }>(
    `SELECT lot_id || ' ' || to_char(granted_at, 'YYYY-MM-DD') AS month
     FROM lot WHERE source = 'plan' ORDER BY lot_id`,
  );
  return rows.map(({ month }) => month);
}

async function changes(): Promise<string[]> {
  const { rows } = await books.database.query<{ kind: string }>(
    "SELECT kind FROM subscription_change ORDER BY sequence",
  );
  return rows.map(({ kind }) => kind);
}

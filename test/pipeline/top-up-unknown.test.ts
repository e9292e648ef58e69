import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { balanceOf, openPayer, sellCredits, untilPayment, use } from "../support/books/payers.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { type GatewayGate, openGatewayGate } from "../support/processes/gateway-gate.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";
import { startTopUp, TURN_MS, takeTopUpGroup } from "../support/processes/top-up-process.ts";
import { tempFolder } from "../support/temp-folder.ts";

/**
 * Charges whose outcome the service does not learn: they are visibly pending, the gateway is queried by
 * their key, and they are settled once.
 */
const WITHIN_MS = 60_000;
const TEST_MS = 180_000;

let giveBack: () => Promise<void>;
let books: Books;
let gateway: GatewayInProcess;
let gate: GatewayGate;
let service: ServiceProcess;
let account: string;

beforeAll(async () => {
  giveBack = await takeTopUpGroup(testKafka());
}, TURN_MS);

afterAll(async () => await giveBack?.());

beforeEach(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  account = `unknown-${Date.now()}`;
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  expect(await balanceOf(books, account)).toBe(499_000_000n);
  await service.kill();
  await gate.close();
  await books.close();
});

test.each([
  { card: "card_timeout_after_charge", what: "it charges and never answers" },
  { card: "card_break_after_charge", what: "it charges and breaks the connection" },
  { card: "card_500_after_charge", what: "it charges and answers 500" },
])(
  "$what: pending until the gateway is queried, charged once",
  async ({ card }) => {
    await openWorld(card);
    const asked = holdQuestions();
    await use(books, { [account]: 6_000_000n });
    await asked.come;
    expect(await seen()).toMatchObject({ ...PENDING, calls: 2 });
    expect(await charges()).toMatchObject([{ status: "succeeded", amount: "1000" }]);
    expect(await balanceOf(books, account)).toBe(-1_000_000n);

    asked.letThrough();
    await untilPayment(books, account, "succeeded", WITHIN_MS);
    // Queried once more, for refunds meanwhile, and then no more.
    await eventually("all is asked", async () => (await seen()).next_try_at === null, WITHIN_MS);
    expect(await seen()).toMatchObject({ status: "succeeded", reason: "" });
    expect(await charges()).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "it answers 500 and charges nothing: queried, then charged again until it succeeds, once",
  async () => {
    await openWorld("card_500_before_charge");
    await use(books, { [account]: 6_000_000n });
    await eventually("it is asked again", async () => (await seen()).calls >= 3, WITHIN_MS);
    expect(await seen()).toMatchObject(PENDING);
    expect(await charges()).toEqual([]);
    const card = `card_500_before_charge-${account}`;
    await gateway.send("PUT", `/v1/cards/${card}`, { script: ["approve"] });
    await untilPayment(books, account, "succeeded", WITHIN_MS);
    expect(await charges()).toMatchObject([{ status: "succeeded", amount: "1000" }]);
  },
  TEST_MS,
);

test(
  "it is under way at the gateway: pending until it has succeeded, charged once",
  async () => {
    await openWorld("card_processing");
    const asked = holdQuestions();
    await use(books, { [account]: 6_000_000n });
    await asked.come;
    expect(await seen()).toMatchObject({
      ...PENDING,
      gateway_payment: expect.stringMatching(/^pay_/),
    });
    asked.letThrough();
    await untilPayment(books, account, "succeeded", WITHIN_MS);
    expect(await charges()).toMatchObject([{ status: "succeeded" }]);
  },
  TEST_MS,
);

describe("the gateway is down", () => {
  test(
    "from the start, and back: pending with an alarm meanwhile, then charged once",
    async () => {
      const dataDir = await tempFolder();
      await openWorld("card_approve", await openGateway({ dataDir }));
      const port = Number(new URL(gateway.url).port);
      await gateway.close();
      await use(books, { [account]: 6_000_000n });
      await eventually("it was tried twice", async () => (await seen()).calls >= 2, WITHIN_MS);
      expect(await seen()).toMatchObject(PENDING);
      const alarm = await service.says(/^payments are pending for too long/, WITHIN_MS);
      expect(alarm).toMatchObject({ level: "error", payments: 1, since: expect.any(String) });
      await service.says(/^the outcome of a payment is unknown$/);

      gateway = await openGateway({ dataDir, port });
      await untilPayment(books, account, "succeeded", WITHIN_MS);
      expect(await charges()).toMatchObject([{ status: "succeeded", amount: "1000" }]);
    },
    TEST_MS,
  );

  test(
    "right after it has charged, and back: found by its key, charged once",
    async () => {
      const dataDir = await tempFolder();
      await openWorld("card_break_after_charge", await openGateway({ dataDir }));
      const port = Number(new URL(gateway.url).port);
      const asked = holdQuestions();
      await use(books, { [account]: 6_000_000n });
      await asked.come;
      await gateway.close();
      asked.letThrough();
      await eventually("it is asked again", async () => (await seen()).calls >= 3, WITHIN_MS);
      expect(await seen()).toMatchObject(PENDING);

      gateway = await openGateway({ dataDir, port });
      await untilPayment(books, account, "succeeded", WITHIN_MS);
      expect(await charges()).toHaveLength(1);
    },
    TEST_MS,
  );
});

const PENDING = {
  status: "pending",
  reason: "The payment is being confirmed with the bank.",
  next_try_at: expect.any(Number),
};

async function openWorld(card: string, at?: GatewayInProcess): Promise<void> {
  gateway = at ?? (await openGateway());
  gate = await openGatewayGate(gateway.url);
  await openPayer(books, account, { card: `${card}-${account}` });
  const env = { PAYMENT_ALARM_SECONDS: "1" };
  service = startTopUp({ databaseUrl: books.url, gatewayUrl: gate.url, env });
  await service.says(/^topping up$/, WITHIN_MS);
}

/** Queries for a charge wait until they are let through; `come` resolves at the first. */
function holdQuestions(): { readonly come: Promise<void>; letThrough(): void } {
  const [come, through] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  gate.beforeCall = async (call) => {
    if (call === "charge") return;
    come.resolve();
    await through.promise;
  };
  return { come: come.promise, letThrough: () => through.resolve() };
}

/** The payment as the books show it. */
async function seen() {
  // In one statement: the payment may be settled between two.
  const { rows } = await books.database.query<{
    account_id: string;
    kind: string;
    calls: number;
    next_try_at: number | null;
    status: string;
    reason: string;
  }>("SELECT account_id, kind, status, reason, calls, next_try_at, gateway_payment FROM payment");
  for (const row of rows) expect(row).toMatchObject({ account_id: account, kind: "top_up" });
  return rows[0] ?? { calls: 0, next_try_at: null, status: "none", reason: "" };
}

/** The gateway's own log. */
async function charges(): Promise<unknown[]> {
  return gateway.payments(`?account_id=${account}`);
}

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
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
import { eventually } from "../support/eventually.ts";
import { type Collector, collectTopic, testKafka } from "../support/kafka/kafka.ts";
import { openGateway } from "../support/processes/simulated-gateway.ts";
import { startTopUp, TURN_MS, takeTopUpGroup } from "../support/processes/top-up-process.ts";

/** The top-up service as a real process, on real Kafka and Postgres, with the simulated gateway. */
const kafka = testKafka();
let giveBack: () => Promise<void>;
let topUps: Collector<{ top_up_id: string; status: string; amount: bigint; reason: string }>;
let books: Books;

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
  await setPrice(books, "call", 1n);
  await sellCredits(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

test("the gateway's minimum charges replace what the books have", async () => {
  const stated = await minimumCharges();
  await books.database.query("DELETE FROM charge_limit WHERE currency = 'EUR'");
  await books.database.query("UPDATE charge_limit SET minimum = 7 WHERE currency = 'USD'");
  await books.database.query("INSERT INTO charge_limit (currency, minimum) VALUES ('KWD', 100)");
  const gateway = await openGateway();
  const service = startTopUp({ databaseUrl: books.url, gatewayUrl: gateway.url });
  await service.says(/^topping up$/);
  expect(await minimumCharges()).toEqual(stated);
});

test("an account that runs low is charged USD 10 once, and gets its credits", async () => {
  const gateway = await openGateway();
  const account = `runs-low-${Date.now()}`;
  await openPayer(books, account);
  const service = startTopUp({ databaseUrl: books.url, gatewayUrl: gateway.url });
  await service.says(/^topping up$/);
  await use(books, { [account]: 6_000_000n });
  await untilPayment(books, account, "succeeded");

  expect(await balanceOf(books, account)).toBe(499_000_000n);
  expect(await topUpsOf(books, account)).toEqual([
    { paymentId: "low-balance:1", status: "succeeded", amount: 1000n },
  ]);
  expect(await gateway.payments()).toMatchObject([{ amount: "1000", currency: "USD" }]);
  const told = () =>
    topUps.received.filter(({ key }) => key === account).map(({ record }) => record.status);
  await eventually("both are told", () => told().length >= 2);
  expect(told()).toEqual(["pending", "succeeded"]);
});

async function minimumCharges(): Promise<unknown[]> {
  const { rows } = await books.database.query(
    "SELECT currency, minimum FROM charge_limit ORDER BY currency",
  );
  expect(rows).toContainEqual({ currency: "USD", minimum: 50n });
  return rows;
}

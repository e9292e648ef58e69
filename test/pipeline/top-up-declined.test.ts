import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { setAutoTopUp } from "../../shared/ledger/payments/set-auto-top-up.ts";
import { type Books, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import {
  balanceOf,
  openPayer,
  sellCredits,
  setCard,
  topUpsOf,
  use,
} from "../support/books/payers.ts";
import { type PaymentsByClock, paymentsByClock } from "../support/books/payments-by-clock.ts";
import { outboxOf } from "../support/cli/every-table.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";

/**
 * Auto top-up whose card is declined, over a week of a clock of the test's own, while its low balance
 * is said again every hour. The gateway's own log tells how often it was asked.
 */
const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

let books: Books;
let gateway: GatewayInProcess;
let payments: PaymentsByClock;
let startAt: number;
const accountId = toAccountId("payer");

beforeEach(async () => {
  books = await openBooks();
  gateway = await openGateway();
  await setPrice(books, "call", 1n);
  await sellCredits(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

describe("a card that is declined again and again", () => {
  beforeEach(() => runLow("card_decline"));

  test("is tried four times in a week, with growing waits, and then no more", async () => {
    expect(await triedAfter(7 * DAY)).toEqual([0, 1 * HOUR, 7 * HOUR, 31 * HOUR]);
    expect(await gateway.payments()).toHaveLength(4);
  });

  test("is told as a pause three times and as a stop once, with a pending and a failed top-up each", async () => {
    await payments.pass(7 * DAY);
    const told = await notices();
    expect(told.map(({ status }) => status)).toEqual([
      ...["pending", "failed", "paused"],
      ...["pending", "failed", "paused"],
      ...["pending", "failed", "paused"],
      ...["pending", "failed", "stopped"],
    ]);
    expect(told.at(-1)?.["reason"]).toBe(
      "The bank declined the payment: the card does not have enough funds. Auto top-up has stopped until you change the payment method or switch it on again.",
    );
  });

  test("is not tried more for what is used meanwhile", async () => {
    for (let day = 0; day < 7; day += 1) {
      await use(books, { payer: 300_000_000n });
      await payments.pass(DAY);
    }
    expect(await gateway.payments()).toHaveLength(4);
  });

  test("stopped, it starts again with a new card, and what was used is repaid", async () => {
    await payments.pass(7 * DAY);
    await setCard(books, "payer", "card_approve", payments.now());
    await payments.pass(DAY);
    expect((await statuses()).slice(4)).toEqual(["succeeded"]);
    expect(await balanceOf(books, "payer")).toBe(499_000_000n);
  });

  test("paused, it starts again with a new card at once", async () => {
    await payments.pass(2 * HOUR);
    await setCard(books, "payer", "card_approve", payments.now());
    await payments.pass(0);
    expect(await statuses()).toEqual(["declined", "declined", "succeeded"]);
  });

  test("stopped, it is tried as often again once it is switched on again, and stops again", async () => {
    await payments.pass(7 * DAY);
    const at = { accountId, now: payments.now() };
    expect(
      await setAutoTopUp(books.database, { ...at, by: "test" }, { enabled: true }),
    ).toMatchObject({
      kind: "set",
    });
    await payments.pass(7 * DAY);
    expect(await gateway.payments()).toHaveLength(8);
    expect((await notices()).filter(({ status }) => status === "stopped")).toHaveLength(2);
  });
});

test.each([
  { card: "card_decline_hard", reason: /another card is needed/ },
  { card: "card_expired", reason: /has expired/ },
  { card: "card_authenticate", reason: /approve the payment yourself/ },
  { card: "card_no_card", reason: /no longer there/ },
])("$card is tried once in a week: it stops at once, and is told so", async ({ card, reason }) => {
  await runLow(card);
  expect(await triedAfter(7 * DAY)).toEqual([0]);
  expect(await gateway.payments()).toHaveLength(1);
  const told = await notices();
  expect(told.map(({ status }) => status)).toEqual(["pending", "failed", "stopped"]);
  expect(told.at(-1)?.["reason"]).toMatch(reason);
  await setCard(books, "payer", "card_approve", payments.now());
  await payments.pass(DAY);
  expect(await statuses()).toEqual(["declined", "succeeded"]);
});

test("a card that is declined once and then does is charged once, and the next decline counts from one", async () => {
  await gateway.send("PUT", "/v1/cards/card_decline-p", { script: ["decline", "approve"] });
  await runLow("card_decline-p");
  await payments.pass(DAY);
  expect(await statuses()).toEqual(["declined", "succeeded"]);
  expect(await balanceOf(books, "payer")).toBe(499_000_000n);
  await gateway.send("PUT", "/v1/cards/card_decline-p", { script: ["decline"] });
  await use(books, { payer: 500_000_000n });
  const secondRun = payments.now();
  await payments.pass(7 * DAY);
  expect(payments.asked.slice(2).map(({ at }) => at - secondRun)).toEqual([
    ...[0, 1 * HOUR, 7 * HOUR, 31 * HOUR],
  ]);
});

test("a gateway that takes nothing for a day, longer than it is sure to keep a key: a new try then, charged once", async () => {
  await runLow("card_500_before_charge-p");
  await payments.pass(22 * HOUR);
  expect(await topUpsOf(books, "payer")).toMatchObject([{ status: "pending" }]);
  await payments.pass(2 * HOUR);
  const card = "card_500_before_charge-p";
  await gateway.send("PUT", `/v1/cards/${card}`, { script: ["approve"] });
  await payments.pass(DAY);
  expect(await topUpsOf(books, "payer")).toMatchObject([
    { paymentId: "low-balance:1", status: "failed" },
    { paymentId: "low-balance:1:2", status: "succeeded" },
  ]);
  expect(await statuses()).toEqual(["succeeded"]);
});

test("switched off, nothing is charged; switched on again, it is", async () => {
  await runLow("card_approve", { enabled: false });
  await payments.pass(7 * DAY);
  expect(await gateway.payments()).toEqual([]);
  const at = { accountId, now: payments.now() };
  await setAutoTopUp(books.database, { ...at, by: "test" }, { enabled: true });
  await payments.pass(DAY);
  expect(await statuses()).toEqual(["succeeded"]);
});

test("without a card it stops at once, is told so once, and starts with the first card", async () => {
  await openPayer(books, "payer");
  await books.database.query("DELETE FROM payment_method");
  await useAndStart();
  await payments.pass(7 * DAY);
  expect(await gateway.payments()).toEqual([]);
  expect(await notices()).toMatchObject([{ status: "stopped", reason: /no payment method/ }]);
  await setCard(books, "payer", "card_approve", payments.now());
  await payments.pass(DAY);
  expect(await statuses()).toEqual(["succeeded"]);
});

async function runLow(card: string, settings: { enabled?: boolean } = {}): Promise<void> {
  await openPayer(books, "payer", { card });
  await setAutoTopUp(books.database, { accountId, now: Date.now(), by: "test" }, settings);
  await useAndStart();
}

async function useAndStart(): Promise<void> {
  await use(books, { payer: 6_000_000n });
  startAt = Date.now();
  payments = paymentsByClock(books, {
    gatewayUrl: gateway.url,
    startAt,
    stepMs: HOUR,
    lowOnes: [accountId],
  });
}

/** How long after the start the gateway was called, once so long has passed. */
async function triedAfter(milliseconds: number): Promise<number[]> {
  await payments.pass(milliseconds);
  return payments.asked.map(({ at }) => at - startAt);
}

/** What became of each charge, by the gateway's own log. */
async function statuses(): Promise<unknown[]> {
  return (await gateway.payments()).map((payment) => (payment as { status: string }).status);
}

async function notices() {
  return outboxOf(books, "payer", TOPICS.topUps);
}

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
 * Auto top-up with a declined card, over a week of a test clock, while its low balance is published
 * again every hour. The gateway's own log shows the number of tries.
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

describe("a card that is declined repeatedly", () => {
  beforeEach(() => runLow("card_decline"));

  test("is tried four times in a week, with growing waits, and then no more", async () => {
    expect(await triedAfter(7 * DAY)).toEqual([0, 1 * HOUR, 7 * HOUR, 31 * HOUR]);
    expect(await gateway.payments()).toHaveLength(4);
  });

  test("publishes a pause three times and a stop once, with a pending and a failed top-up each", async () => {
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

  test("is not tried more often for usage meanwhile", async () => {
    for (let day = 0; day < 7; day += 1) {
      await use(books, { payer: 300_000_000n });
      await payments.pass(DAY);
    }
    expect(await gateway.payments()).toHaveLength(4);
  });

  test("after a stop, a new card restarts auto top-up, and usage is repaid", async () => {
    await payments.pass(7 * DAY);
    await setCard(books, "payer", "card_approve", payments.now());
    await payments.pass(DAY);
    expect((await statuses()).slice(4)).toEqual(["succeeded"]);
    expect(await balanceOf(books, "payer")).toBe(499_000_000n);
  });

  test("after a pause, a new card restarts it immediately", async () => {
    await payments.pass(2 * HOUR);
    await setCard(books, "payer", "card_approve", payments.now());
    await payments.pass(0);
    expect(await statuses()).toEqual(["declined", "declined", "succeeded"]);
  });

  test("after a stop, switching it on gives the same number of tries, and it stops again", async () => {
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
])(
  "$card is tried once in a week: auto top-up stops immediately, and this is published",
  async ({ card, reason }) => {
    await runLow(card);
    expect(await triedAfter(7 * DAY)).toEqual([0]);
    expect(await gateway.payments()).toHaveLength(1);
    const told = await notices();
    expect(told.map(({ status }) => status)).toEqual(["pending", "failed", "stopped"]);
    expect(told.at(-1)?.["reason"]).toMatch(reason);
    await setCard(books, "payer", "card_approve", payments.now());
    await payments.pass(DAY);
    expect(await statuses()).toEqual(["declined", "succeeded"]);
  },
);

test("a card that is declined once and then succeeds is charged once, and the next decline counts from one", async () => {
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

test("a gateway that charges nothing for a day, longer than it surely keeps a key: a new try then, charged once", async () => {
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

test("switched off, nothing is charged until it is switched on again", async () => {
  await runLow("card_approve", { enabled: false });
  await payments.pass(7 * DAY);
  expect(await gateway.payments()).toEqual([]);
  const at = { accountId, now: payments.now() };
  await setAutoTopUp(books.database, { ...at, by: "test" }, { enabled: true });
  await payments.pass(DAY);
  expect(await statuses()).toEqual(["succeeded"]);
});

test("without a card it stops immediately, publishes this once, and starts with the first card", async () => {
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

/** Lets time pass; returns how long after the start the gateway was called. */
async function triedAfter(milliseconds: number): Promise<number[]> {
  await payments.pass(milliseconds);
  return payments.asked.map(({ at }) => at - startAt);
}

/** The outcome of each charge, by the gateway's own log. */
async function statuses(): Promise<unknown[]> {
  return (await gateway.payments()).map((payment) => (payment as { status: string }).status);
}

async function notices() {
  return outboxOf(books, "payer", TOPICS.topUps);
}

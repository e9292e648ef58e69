/**
 * Charges that the gateway has and the books lack, since they went back in time: each comes into the books once,
 * however old it is, and nobody is charged for what it paid. The gateway has forgotten all idempotency keys.
 */
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { compareCharges } from "../../services/top-up/compare-charges.ts";
import type { PaymentGateway } from "../../services/top-up/gateways/payment-gateway.ts";
import { openSimulatedGateway } from "../../services/top-up/gateways/simulated/gateway.ts";
import { lostTopUps } from "../../services/top-up/restore-lost.ts";
import { returnMoney } from "../../services/top-up/return-money.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { listUnmatched } from "../../shared/ledger/payments/charges-at-gateway.ts";
import { claimPayments, isPaymentDue } from "../../shared/ledger/payments/claim.ts";
import { listRefunds, requestRefund } from "../../shared/ledger/payments/refunds.ts";
import { topUpByHand, topUpIfLow } from "../../shared/ledger/payments/top-up-account.ts";
import { serverReader } from "../../shared/ledger/postgres/server-start.ts";
import { type Books, connect, copyBooks, openBooks, setPrice } from "../support/books/books.ts";
import { paymentsOf } from "../support/books/card-holders.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { balanceOf, openPayer, sellCredits, setCard, use } from "../support/books/payers.ts";
import { paymentsByClock } from "../support/books/payments-by-clock.ts";
import { openCatalogue, openSubscriber } from "../support/books/subscribers.ts";
import { eventually } from "../support/eventually.ts";
import { silent } from "../support/kafka/kafka.ts";
import { type GatewayInProcess, openGateway } from "../support/processes/simulated-gateway.ts";
import { WEBHOOK_SECRET } from "../support/processes/top-up-process.ts";

const CREDIT = 1_000_000n;
const HOUR = 60 * 60_000;
const ANN = toAccountId("ann");
const TWO = ["low-balance:1 succeeded 1000", "low-balance:2 succeeded 1000"];

let books: Books;
let gateway: GatewayInProcess;

beforeEach(async () => {
  books = await openBooks();
  gateway = await openGateway({ keysKeptMs: 0 });
  await sellCredits(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

describe("top-ups", () => {
  beforeEach(() => setPrice(books, "call", 1n));

  /** Ann has 5 credits and buys 500 twice, in two needs; then the books are as before them. */
  async function losePayments(): Promise<void> {
    await openPayer(books, "ann");
    await lose(async () => {
      for (const credits of [6n, 600n]) {
        await use(books, { ann: credits * CREDIT });
        await work();
      }
      expect(await paymentsOf(books, "ann")).toEqual(TWO);
    });
  }

  test("come back with their own amounts, though all needs are one by now", async () => {
    await losePayments();
    await use(books, { ann: 606n * CREDIT });
    await work();
    expect(await paymentsOf(books, "ann")).toEqual(TWO);
    expect(await balanceOf(books, "ann")).toBe((5n + 1_000n - 606n) * CREDIT);
    expect(await gateway.payments()).toHaveLength(2);
  });

  test("come back without any need, and the next one has a number of its own", async () => {
    await losePayments();
    await work();
    expect(await balanceOf(books, "ann")).toBe(1_005n * CREDIT);
    await use(books, { ann: 1_100n * CREDIT });
    await work();
    expect(await paymentsOf(books, "ann")).toEqual([...TWO, "low-balance:3 succeeded 1000"]);
    expect(await gateway.payments()).toHaveLength(3);
  });

  test("that were refunded since bring nothing", async () => {
    await losePayments();
    const [first] = (await gateway.payments()) as { id: string }[];
    const refund = { amount: "1000" };
    await gateway.send("POST", `/v1/payments/${first?.id}/refunds`, refund, "by-hand");
    await work();
    expect(await balanceOf(books, "ann")).toBe(505n * CREDIT);
  });

  test("that are still under way come once they have succeeded", async () => {
    await openPayer(books, "ann", { card: "card_processing" });
    await lose(async () => {
      await use(books, { ann: 6n * CREDIT });
      await charge();
      expect(await paymentsOf(books, "ann")).toEqual(["low-balance:1 pending 1000"]);
    });
    await compare();
    await restore();
    const paid = ["low-balance:1 succeeded 1000"];
    await eventually("it is paid", async () => {
      await charge(Date.now(), HOUR);
      return (await paymentsOf(books, "ann")).join() === paid.join();
    });
    expect(await balanceOf(books, "ann")).toBe(505n * CREDIT);
    expect(await gateway.payments()).toHaveLength(1);
  });

  test("requested again by hand under the same id are the charges that there were; with another amount, they wait", async () => {
    await openPayer(books, "ann");
    await openPayer(books, "ben");
    await lose(async () => {
      for (const id of ["ann", "ben"]) await byHand(id, 1_000n);
      await work();
    });
    await byHand("ann", 1_000n);
    await byHand("ben", 2_000n);
    await work();
    expect(await paymentsOf(books, "ann")).toEqual(["manual:1 succeeded 1000"]);
    expect(await paymentsOf(books, "ben")).toEqual(["manual:1 pending 2000"]);
    expect(await gateway.payments()).toHaveLength(2);
    expect(await problems()).toEqual(["ben other_amount"]);
    // Refunded at the gateway, it no longer stands in the way.
    const [{ id } = { id: "" }] = (await gateway.payments("?account_id=ben")) as { id: string }[];
    await gateway.send("POST", `/v1/payments/${id}/refunds`, { amount: "1000" }, "by-hand");
    await work();
    expect(await paymentsOf(books, "ben")).toEqual(["manual:1 succeeded 2000"]);
  });

  test("whose credits have no price are for people to decide about; a need that has the number of one is met by it", async () => {
    await losePayments();
    await books.database.query("DELETE FROM credit_price");
    await compare();
    await restore();
    await sellCredits(books);
    await books.database.query("UPDATE credit_price SET valid_from = now()");
    await use(books, { ann: 6n * CREDIT });
    await work();
    expect(await paymentsOf(books, "ann")).toEqual(["low-balance:1 succeeded 1000"]);
    expect(await problems()).toEqual(["ann no_payment"]);
    expect(await gateway.payments()).toHaveLength(2);
  });

  test("that were found before this version do not come by themselves: somebody may have posted them", async () => {
    await losePayments();
    await compare();
    await books.database.query("UPDATE unmatched_charge SET restorable = false");
    await work();
    expect(await paymentsOf(books, "ann")).toEqual([]);
    expect(await problems()).toEqual(["ann no_payment", "ann no_payment"]);
  });

  test("come back as sent, so that nothing that forgets the charge makes another one", async () => {
    await losePayments();
    await compare();
    await restore();
    const { rows } = await books.database.query(
      "SELECT calls, gateway, gateway_payment FROM payment",
    );
    expect(rows).toEqual([{ calls: 1, gateway: "simulated", gateway_payment: expect.any(String) }]);
    await books.database.query("DELETE FROM unmatched_charge");
    await charge();
    expect(await paymentsOf(books, "ann")).toEqual(["low-balance:1 succeeded 1000"]);
    expect(await gateway.payments()).toHaveLength(2);
  });

  test("whose charge is refunded while the gateway still keeps its key bring nothing to the payment that has it next", async () => {
    gateway = await openGateway(); // which keeps keys
    await openPayer(books, "ann");
    await openPayer(books, "ben");
    await lose(async () => {
      for (const id of ["ann", "ben"]) await byHand(id, 1_000n);
      await charge();
    });
    for (const { id } of (await gateway.payments()) as { id: string }[]) {
      await gateway.send("POST", `/v1/payments/${id}/refunds`, { amount: "1000" }, `of-${id}`);
    }
    await byHand("ann", 1_000n);
    await byHand("ben", 2_000n);
    // Under the key of another amount, which the service logs; the payment is asked about once its claim is over.
    await expect(charge(Date.now() + 10 * 60_000)).rejects.toThrow("409");
    for (const minutes of [12, 14, 16]) await charge(Date.now() + minutes * 60_000);
    expect(await paymentsOf(books, "ann")).toEqual(["manual:1 succeeded 1000"]);
    expect(await paymentsOf(books, "ben")).toEqual(["manual:1 failed 2000"]);
    expect(await balanceOf(books, "ann")).toBe(5n * CREDIT);
    expect(await balanceOf(books, "ben")).toBe(5n * CREDIT);
    expect(await gateway.payments()).toHaveLength(2);
  });

  test("that were refunded in part are refunded once, also if the refund is asked for again", async () => {
    await openPayer(books, "ann");
    const half = { accountId: ANN, paymentId: "manual:1", refundId: "half", amount: 500n };
    const ask = () => requestRefund(books.database, { ...half, by: "test", now: Date.now() });
    await lose(async () => {
      await byHand("ann", 1_000n);
      await work();
      await ask();
      await charge();
    });
    await work();
    expect(await balanceOf(books, "ann")).toBe(255n * CREDIT);
    expect((await ask()).kind).toBe("pending");
    await charge();
    expect(await listRefunds(books.database, half)).toMatchObject([
      { refundId: expect.not.stringMatching(/^half$/), status: "posted", amount: 500n },
      { refundId: "half", status: "refused" },
    ]);
    expect(await balanceOf(books, "ann")).toBe(255n * CREDIT);
  });
});

test("a payment that was declined is not charged again when the books of before have not sent it yet", async () => {
  await openPayer(books, "ann");
  await gateway.send("PUT", "/v1/cards/card_approve-ann", { script: ["decline", "approve"] });
  await setCard(books, "ann", "card_approve-ann");
  await byHand("ann", 1_000n);
  await lose(() => charge());
  await compare();
  await charge(Date.now() + 48 * HOUR);
  expect(await paymentsOf(books, "ann")).toEqual(["manual:1 failed 1000"]);
  expect(await gateway.payments()).toHaveLength(1);
});

describe("a fee whose charge is at the gateway is settled by it", () => {
  const PAID = ["fee:1:0 succeeded 1000"];

  test("in its first attempt", async () => {
    await openCatalogue(books);
    await openSubscriber(books, "ann", { at: Date.now(), renewal: "day_of_month" });
    await setCard(books, "ann", "card_approve");
    await lose(() => charge());
    await work();
    expect(await paymentsOf(books, "ann")).toEqual(PAID);
    expect(await gateway.payments()).toHaveLength(1);
  });

  test("in an attempt that the books had not come to", async () => {
    await openCatalogue(books);
    await openSubscriber(books, "ann", { at: Date.now(), renewal: "day_of_month" });
    await gateway.send("PUT", "/v1/cards/card_approve-ann", { script: ["decline", "approve"] });
    await setCard(books, "ann", "card_approve-ann");
    await charge();
    expect(await paymentsOf(books, "ann")).toEqual(["fee:1:0 retrying 1000"]);
    const later = Date.now() + 48 * HOUR;
    await lose(() => charge(later));
    await compare();
    await charge(later);
    expect(await paymentsOf(books, "ann")).toEqual(PAID);
    expect(await gateway.payments()).toHaveLength(2);
  });
});

test("a refund that the gateway has made is not made again", async () => {
  await openPayer(books, "ann");
  await byHand("ann", 1_000n);
  await work();
  const paid = { accountId: ANN, paymentId: "manual:1" };
  const refund = { ...paid, refundId: "half", amount: 500n, by: "test", now: Date.now() };
  expect((await requestRefund(books.database, refund)).kind).toBe("pending");
  await lose(() => charge());
  await charge();
  expect(await listRefunds(books.database, paid)).toMatchObject([
    { refundId: "half", status: "posted", amount: 500n },
  ]);
  const [{ id } = { id: "" }] = (await gateway.payments()) as { id: string }[];
  expect((await gateway.read(`/v1/payments/${id}/refunds`)).body["taken_back"]).toHaveLength(1);
});

test("refunds that are asked for one after the other are posted once each, whichever claim made them", async () => {
  await openPayer(books, "ann");
  await byHand("ann", 1_000n);
  await work();
  const paid = { accountId: ANN, paymentId: "manual:1" };
  const ask = (refundId: string) =>
    requestRefund(books.database, { ...paid, refundId, amount: 100n, by: "test", now: Date.now() });
  await ask("first");
  let asked = 0;
  const busy: PaymentGateway = {
    ...simulated(),
    async refund(request) {
      const made = await simulated().refund(request);
      if (asked++ > 0) return made;
      await ask("second");
      await charge();
      return made;
    },
  };
  const context = { database: books.database, gateway: busy, logger: silent, now: Date.now };
  const claim = { now: Date.now(), gateway: "simulated", limit: 1, leaseMs: 60_000 };
  for (const claimed of await claimPayments(books.database, claim)) {
    await returnMoney(context, claimed);
  }
  expect(await listRefunds(books.database, paid)).toMatchObject([
    { refundId: "first", status: "posted", amount: 100n },
    { refundId: "second", status: "posted", amount: 100n },
  ]);
  expect(await balanceOf(books, "ann")).toBe(405n * CREDIT);
});

test("on another server than the one whose books are compared, nothing is sent for the first time", async () => {
  await setPrice(books, "call", 1n);
  await openPayer(books, "ann");
  await openPayer(books, "ben");
  await byHand("ann", 1_000n);
  await use(books, { ben: 6n * CREDIT });
  const { database } = books;
  const at = { now: Date.now(), gateway: "simulated", limit: 10, leaseMs: 60_000 };
  const ben = [toAccountId("ben")];
  expect(await isPaymentDue(database, { ...at, comparedOn: "another" })).toBe(false);
  expect(await claimPayments(database, { ...at, comparedOn: "another" })).toEqual([]);
  const waits = (await topUpIfLow(database, ben, at.now, "another")).get(toAccountId("ben"));
  expect(waits).toMatchObject({ topUp: null, auto: { lookAt: at.now + 10_000 } });
  const { start: comparedOn } = await serverReader(database)();
  expect(await claimPayments(database, { ...at, comparedOn })).toHaveLength(1);
  const asked = (await topUpIfLow(database, ben, at.now, comparedOn)).get(toAccountId("ben"));
  expect(asked?.topUp?.paymentId).toBe("low-balance:1");
});

test("a server that answers before its disk has it goes on from nothing", async () => {
  expect((await serverReader(books.database)()).history).toEqual(expect.any(String));
  const early = connect(`${books.url}?options=-csynchronous_commit%3Doff`, 1);
  onTestFinished(() => early.end());
  expect(await serverReader(early)()).toMatchObject({ start: expect.any(String), history: null });
});

/** Does something, and restores the books of before. */
async function lose(doing: () => Promise<void>): Promise<void> {
  const backup = await copyBooks(books);
  await doing();
  await books.close();
  books = backup;
}

/** What top-up does, until nothing is left to do. */
async function work(): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await compare();
    await restore();
    await charge();
  }
}

/** Decides about Ann and charges what is due, from an instant on. */
async function charge(startAt = Date.now(), forMs = 0): Promise<void> {
  const clock = { startAt, stepMs: HOUR, lowOnes: [ANN] };
  await paymentsByClock(books, { gatewayUrl: gateway.url, ...clock }).pass(forMs);
}

async function byHand(id: string, amount: bigint): Promise<void> {
  const at = { accountId: toAccountId(id), now: Date.now() };
  const { kind } = await topUpByHand(books.database, at, { paymentId: "manual:1", amount });
  expect(kind).toBe("pending");
}

async function compare(): Promise<void> {
  await compareCharges({ database: books.database, gateway: simulated(), now: Date.now });
}

async function restore(): Promise<void> {
  const context = { database: books.database, gateway: simulated(), logger: silent, now: Date.now };
  await lostTopUps(context)();
}

function simulated() {
  return openSimulatedGateway({ url: gateway.url, webhookSecret: WEBHOOK_SECRET });
}

async function problems(): Promise<string[]> {
  const unmatched = await listUnmatched(books.database, null);
  return unmatched.map(({ accountId, problem }) => `${accountId} ${problem}`);
}

/**
 * Which process may take a payment to the gateway, in real Postgres with the clock passed in.
 *
 * - each payment is claimed by one process at a time, for the duration of the claim; the longest waiting
 *   first
 * - a repeated call sends the same as the first: same attempt, same card; a new attempt reads both again
 * - putting a payment off does not undo a request to query it sooner
 * - the statements that run all the time find their rows by index
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { autoTopUpsToLookAt } from "../../../shared/ledger/books/auto-top-ups.ts";
import {
  checkPaymentNow,
  countLongPending,
  isPaymentDue,
  otherGateway,
  putOffPayment,
} from "../../../shared/ledger/payments/claim.ts";
import { listAllPayments } from "../../../shared/ledger/payments/list-all-payments.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import {
  CARD,
  claim,
  claimOf,
  declined,
  giveCard,
  newest,
  openCardHolder,
  PAID,
  pendingTopUp,
  publishedPaymentsOf,
  rowOf,
} from "../../support/books/card-holders.ts";
import { explained } from "../../support/books/explained.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { sellCredits } from "../../support/books/payers.ts";
import { copySubscriber, openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const MINUTE = 60_000;
const OTHER_CARD = { customer: "cus_2", method: "card_2" };
const LATER = { gatewayPayment: null, reason: "The payment is being confirmed with the bank." };

let books: Books;

beforeEach(async () => {
  books = await openBooks();
  await sellCredits(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  await books.close();
});

async function openPending(id: string, at = NOON): Promise<void> {
  await openCardHolder(books, id, NOON - DAY);
  await pendingTopUp(books, id, at);
}

describe("a payment that is due", () => {
  test("is claimed with everything that a call sends", async () => {
    await openPending("acme");
    const payment = await newest(books, "acme");
    expect(await claim(books, NOON + 5)).toEqual([
      {
        payment,
        accountCreatedAt: NOON - DAY,
        calls: 1,
        attemptedAt: NOON + 5,
        method: CARD,
        gatewayPayment: null,
        claimedUntil: NOON + 5 + MINUTE,
      },
    ]);
  });

  test("cannot be claimed again until the claim is over, and the next claim knows it was called", async () => {
    await openPending("acme");
    expect(await claim(books, NOON - 1)).toEqual([]);
    await claim(books, NOON);
    expect(await claim(books, NOON + MINUTE - 1)).toEqual([]);
    expect(await claim(books, NOON + MINUTE)).toMatchObject([
      { calls: 2, attemptedAt: NOON, claimedUntil: NOON + 2 * MINUTE },
    ]);
  });

  test("is claimed in order: the longest waiting first, and no more than requested", async () => {
    await openPending("amy", NOON - 1);
    await openPending("zoe", NOON - 3);
    await openPending("mia", NOON - 2);
    const names = async (limit: number) =>
      (await claim(books, NOON, { limit })).map(({ payment }) => payment.accountId).sort();
    expect(await names(2)).toEqual(["mia", "zoe"]);
    expect(await names(2)).toEqual(["amy"]);
  });

  test("is claimed by one of many concurrent claims", async () => {
    await openPending("acme");
    await copySubscriber(books, "acme", 299);
    const all = await Promise.all(
      Array.from({ length: 12 }, () => claim(books, NOON, { limit: 30 })),
    );
    const rest = await claim(books, NOON, { limit: 400 });
    const names = [...all.flat(), ...rest].map(({ payment }) => payment.accountId);
    expect(names).toHaveLength(300);
    expect(new Set(names).size).toBe(300);
    for (const claimed of all) expect(claimed.length).toBeLessThanOrEqual(30);
  });

  test("is skipped while its row is locked, and claimed after that", async () => {
    await openPending("held");
    await openPending("free");
    const holder = await books.database.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM payment WHERE account_id = 'held' FOR UPDATE");
    const meanwhile = await claim(books, NOON);
    await holder.query("ROLLBACK");
    holder.release();
    expect(meanwhile.map(({ payment }) => payment.accountId)).toEqual(["free"]);
    expect((await claim(books, NOON)).map(({ payment }) => payment.accountId)).toEqual(["held"]);
  });

  test("that was settled is no longer due", async () => {
    await openPending("acme");
    const { payment } = await claimOf(books, "acme", NOON);
    await settlePayment(books.database, payment, PAID, NOON + 1);
    expect(await claim(books, NOON + DAY)).toEqual([]);
  });

  test("at another gateway is not claimed by this one", async () => {
    await openPending("acme");
    await claim(books, NOON, { gateway: "stripe" });
    expect(await claim(books, NOON + DAY)).toEqual([]);
    expect(await claim(books, NOON + DAY, { gateway: "stripe" })).toHaveLength(1);
  });
});

describe("the card of a payment", () => {
  test("is the account's at the first call, and stays the same for the attempt", async () => {
    await openPending("acme");
    await giveCard(books, "acme", NOON, OTHER_CARD);
    expect(await claimOf(books, "acme", NOON)).toMatchObject({ calls: 1, method: OTHER_CARD });
    await giveCard(books, "acme", NOON + 1);
    const again = await claimOf(books, "acme", NOON + MINUTE);
    expect(again).toMatchObject({ calls: 2, method: OTHER_CARD });
  });

  test("is null if the account had none at the first call", async () => {
    await openPending("acme");
    await books.database.query("DELETE FROM payment_method");
    expect((await claimOf(books, "acme", NOON)).method).toBe(null);
    await giveCard(books, "acme", NOON);
    expect((await claimOf(books, "acme", NOON + MINUTE)).method).toBe(null);
  });
});

describe("a fee", () => {
  const FEE = "fee:1:0";

  beforeEach(async () => {
    await openCatalogue(books);
    await openSubscriber(books, "acme", { at: NOON });
    await giveCard(books, "acme", NOON);
  });

  test("that was declined is a new attempt with the current card, and forgets the old gateway payment", async () => {
    const first = await claimOf(books, "acme", NOON);
    const outcome = { ...declined(), gatewayPayment: "pay_1" };
    await settlePayment(books.database, first.payment, outcome, NOON);
    expect(await rowOf(books, "acme", FEE)).toMatchObject({
      ...{ status: "retrying", attempt: 1, nextTryAt: NOON + DAY },
    });
    await giveCard(books, "acme", NOON + 1, OTHER_CARD);
    const second = await claimOf(books, "acme", NOON + 1);
    expect(second).toMatchObject({
      ...{ calls: 1, attemptedAt: NOON + 1, method: OTHER_CARD, gatewayPayment: null },
      payment: { status: "pending", attempt: 2 },
    });
    // What is now known of the first attempt changes nothing.
    expect(await settlePayment(books.database, first.payment, PAID, NOON + 2)).toEqual({
      kind: "already_settled",
    });
    await settlePayment(books.database, second.payment, PAID, NOON + 2);
    expect(await rowOf(books, "acme", FEE)).toMatchObject({ status: "succeeded", attempt: 2 });
    expect(await publishedPaymentsOf(books, "acme")).toEqual([
      ...["1 fee fee:1:0 pending 1000", "2 fee fee:1:0 retrying 1000"],
      "3 fee fee:1:0 succeeded 1000",
    ]);
  });

  test("is tried five times within a week, and then given up", async () => {
    const tried: number[] = [];
    for (let hour = 0; hour < 24 * 14; hour += 1) {
      const now = NOON + hour * 60 * MINUTE;
      for (const { payment } of await claim(books, now)) {
        tried.push(hour / 24);
        await settlePayment(books.database, payment, declined(), now);
      }
    }
    expect(tried).toEqual([0, 1, 3, 5, 7]);
    expect(await rowOf(books, "acme", FEE)).toMatchObject({ status: "failed", nextTryAt: null });
    const { rows } = await books.database.query("SELECT kind FROM subscription_change");
    expect(rows).toEqual([{ kind: "subscribed" }, { kind: "suspended" }]);
  });
});

describe("a payment is put off", () => {
  test("with the customer's reason and the gateway's code", async () => {
    await openPending("acme");
    const claimed = await claimOf(books, "acme", NOON);
    const later = { ...LATER, gatewayPayment: "pay_7", nextTryAt: NOON + 1_000 };
    await putOffPayment(books.database, claimed, later);
    expect(await newest(books, "acme")).toMatchObject({ status: "pending", reason: LATER.reason });
    expect(await claim(books, NOON + 999)).toEqual([]);
    expect(await claim(books, NOON + 1_000)).toMatchObject([{ gatewayPayment: "pay_7", calls: 2 }]);
  });

  test("unless it is to be queried sooner", async () => {
    await openPending("acme");
    const claimed = await claimOf(books, "acme", NOON);
    expect(await checkPaymentNow(books.database, claimed.payment, NOON + 1)).toBe(true);
    await putOffPayment(books.database, claimed, { ...LATER, nextTryAt: NOON + DAY });
    expect(await rowOf(books, "acme", "manual:1")).toMatchObject({ nextTryAt: NOON + 1 });
  });

  test("unless it was settled or claimed by another since", async () => {
    await openPending("settled");
    await openPending("claimed");
    const settled = await claim(books, NOON);
    for (const { payment } of settled) {
      if (payment.accountId === "settled") {
        await settlePayment(books.database, payment, PAID, NOON);
      }
    }
    await claim(books, NOON + MINUTE);
    for (const one of settled) {
      await putOffPayment(books.database, one, { ...LATER, nextTryAt: NOON + DAY });
    }
    expect(await rowOf(books, "settled", "manual:1")).toMatchObject({ nextTryAt: null });
    expect(await rowOf(books, "claimed", "manual:1")).toMatchObject({
      nextTryAt: NOON + 2 * MINUTE,
    });
  });
});

describe("a payment is queried at the gateway", () => {
  test("now, and not later than it would have been", async () => {
    await openPending("acme");
    const { payment } = await claimOf(books, "acme", NOON);
    await checkPaymentNow(books.database, payment, NOON + 10);
    await checkPaymentNow(books.database, payment, NOON + 20);
    expect(await rowOf(books, "acme", "manual:1")).toMatchObject({ nextTryAt: NOON + 10 });
  });

  test("that was paid: it may have been refunded", async () => {
    await openPending("acme");
    const { payment } = await claimOf(books, "acme", NOON);
    await settlePayment(books.database, payment, PAID, NOON);
    expect(await checkPaymentNow(books.database, payment, NOON + 10)).toBe(true);
    expect(await claim(books, NOON + 10)).toMatchObject([
      { payment: { status: "succeeded" }, gatewayPayment: "pay_1" },
    ]);
  });

  test("but not one it was never called for, one that failed, or one that is not ours", async () => {
    await openPending("failed");
    await openPending("uncalled", NOON + 1);
    const uncalled = await newest(books, "uncalled");
    expect(await checkPaymentNow(books.database, uncalled, NOON)).toBe(false);
    const { payment: failed } = await claimOf(books, "failed", NOON);
    await settlePayment(books.database, failed, declined(), NOON);
    expect(await checkPaymentNow(books.database, failed, NOON)).toBe(false);
    const nobody = { accountId: toAccountId("nobody"), paymentId: "manual:1" };
    expect(await checkPaymentNow(books.database, nobody, NOON)).toBe(false);
  });

  test("once more where a refund was reported while its outcome was unknown", async () => {
    await openPending("acme");
    const { payment } = await claimOf(books, "acme", NOON);
    await checkPaymentNow(books.database, payment, NOON + 1);
    const found = await claimOf(books, "acme", NOON + 1);
    await settlePayment(books.database, found.payment, PAID, NOON + 2);
    expect(await claim(books, NOON + 2)).toMatchObject([{ payment: { status: "succeeded" } }]);
  });

  test("once more where a refund was reported just before it was settled", async () => {
    await openPending("acme");
    const { payment } = await claimOf(books, "acme", NOON);
    await checkPaymentNow(books.database, payment, NOON + 1);
    await settlePayment(books.database, payment, PAID, NOON + 2);
    expect(await claim(books, NOON + 2)).toMatchObject([{ payment: { status: "succeeded" } }]);
  });
});

describe("monitoring", () => {
  test("reports payments that the gateway was called for long ago and that are still pending", async () => {
    await openPending("acme");
    await openPending("bolt", NOON + 1);
    const none = { count: 0, since: null };
    expect(await countLongPending(books.database, NOON + DAY)).toEqual(none);
    await claim(books, NOON);
    await claim(books, NOON + 1);
    expect(await countLongPending(books.database, NOON)).toEqual(none);
    expect(await countLongPending(books.database, NOON + 1)).toEqual({ count: 1, since: NOON });
    expect(await countLongPending(books.database, NOON + DAY)).toEqual({ count: 2, since: NOON });
    // Queried again, they are pending since the first call.
    const [acme] = await claim(books, NOON + MINUTE);
    expect(await countLongPending(books.database, NOON + DAY)).toEqual({ count: 2, since: NOON });
    if (acme === undefined) throw new Error("none was due");
    await settlePayment(books.database, acme.payment, declined(), NOON + DAY);
    const rest = { count: 1, since: NOON + 1 };
    expect(await countLongPending(books.database, NOON + DAY)).toEqual(rest);
  });

  test("reports another gateway in the books", async () => {
    await openPending("acme");
    expect(await otherGateway(books.database, "stripe")).toBe(null);
    await claim(books, NOON);
    expect(await otherGateway(books.database, "simulated")).toBe(null);
    expect(await otherGateway(books.database, "stripe")).toBe("simulated");
  });
});

describe("among 100,000 that are waiting or settled", () => {
  let many: Books;
  const LAST = { createdAt: NOON + 1_000, accountId: "a-1", paymentId: "low-balance:1" };
  const ANY = {
    ...{ accountIds: null, kind: null, status: null, from: null, to: null },
    gatewayPayment: null,
  };

  beforeAll(async () => {
    many = await openBooks();
    await many.database.query(
      `INSERT INTO payment (account_id, payment_id, kind, status, amount, currency, credits, life,
                            attempt, calls, next_try_at, reason, created_at, attempted_at, gateway)
       SELECT 'a-' || n, 'low-balance:1', 'top_up', CASE WHEN n % 10 = 0 THEN 'pending' ELSE 'succeeded' END,
              1000, 'USD', 500, 'usual', 1, 1,
              CASE WHEN n % 10 = 0 THEN to_timestamp($1 / 1000.0) + n * interval '1 second' END,
              '', to_timestamp($1 / 1000.0) + n * interval '1 minute',
              to_timestamp($1 / 1000.0) + n * interval '1 second', 'simulated'
       FROM generate_series(1, 100000) AS n`,
      [NOON],
    );
    await many.database.query(
      `INSERT INTO payment_method (account_id, customer, method, set_by, set_at)
       SELECT 'a-' || n, 'cus', 'card', 'test', now() FROM generate_series(1, 100000) AS n`,
    );
    await many.database.query(
      `INSERT INTO account (account_id, time_zone, currency, threshold, created_at)
       SELECT 'a-' || n, 'UTC', 'USD', 0, now() FROM generate_series(1, 100000) AS n`,
    );
    await many.database.query(
      `INSERT INTO auto_top_up (account_id, enabled, declines, look_at, told)
       SELECT 'a-' || n, true, 0,
              CASE WHEN n % 10 = 0 THEN to_timestamp($1 / 1000.0) + n * interval '1 second' END, 0
       FROM generate_series(1, 100000) AS n`,
      [NOON],
    );
    await many.database.query("ANALYZE");
  });

  afterAll(() => many?.close());

  test.each<{
    what: string;
    index: string;
    look: (database: Books["database"]) => Promise<unknown>;
  }>([
    {
      what: "whether there is a payment to claim",
      index: "payment_next_try",
      look: (database) => isPaymentDue(database, { now: NOON + 3_600_000, gateway: "simulated" }),
    },
    {
      what: "payments to claim",
      index: "payment_next_try",
      look: (database) => claim({ database }, NOON + 3_600_000, { limit: 64 }),
    },
    {
      what: "accounts to look at",
      index: "auto_top_up_look",
      look: (database) => autoTopUpsToLookAt(database, NOON + 3_600_000, 100),
    },
    {
      what: "payments pending for long",
      index: "payment_unknown",
      look: (database) => countLongPending(database, NOON + 3_600_000),
    },
    {
      what: "the newest of all payments",
      index: "payment_created",
      look: (database) => listAllPayments(database, ANY, 51),
    },
    {
      what: "the next page of them",
      index: "payment_created",
      look: (database) => listAllPayments(database, ANY, 51, LAST),
    },
    {
      what: "those of some accounts",
      index: "payment_pkey",
      look: (database) => listAllPayments(database, { ...ANY, accountIds: ["a-1", "a-2"] }, 51),
    },
    {
      what: "those of a rare status",
      index: "payment_by_status",
      look: (database) => listAllPayments(database, { ...ANY, status: "failed" }, 51),
    },
    {
      what: "those of some days",
      index: "payment_created",
      look: (database) => listAllPayments(database, { ...ANY, from: NOON, to: NOON + DAY }, 51),
    },
    {
      what: "the one that the gateway names",
      index: "payment_at_gateway",
      look: (database) => listAllPayments(database, { ...ANY, gatewayPayment: "pay_1" }, 51),
    },
  ])("$what are found by an index, and no table is scanned", async ({ index, look }) => {
    const plan = await explained(many.database, look);
    expect(plan).toContain(index);
    expect(plan).not.toContain("Seq Scan");
  });
});

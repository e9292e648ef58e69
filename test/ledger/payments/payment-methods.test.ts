/**
 * Payment methods, in real Postgres, with the clock passed in and no gateway.
 *
 * - a card affects what comes next, never what is pending
 * - without its payment method, an account is not charged until it has another
 */
import { describe, expect, test } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import { removePaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import {
  askTopUp,
  autoOf,
  CARD,
  claimOf,
  declined,
  giveCard,
  openCardHolder,
  PAID,
  paymentsOf,
  rowOf,
  toldOf,
} from "../../support/books/card-holders.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { CREDIT, payerOfTest } from "../../support/books/payer-of-test.ts";
import { use } from "../../support/books/payers.ts";
import { openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * 60_000;

const payer = payerOfTest();

describe("a fee", () => {
  const FEE = "fee:1:0";

  test("that was declined is tried again immediately with a new card, given up or not", async () => {
    await openSubscriber(payer.books, payer.id, { at: NOON });
    await payer.database.query(
      "UPDATE payment SET status = 'retrying', next_try_at = $2 WHERE account_id = $1",
      [payer.id, new Date(NOON + DAY)],
    );
    await giveCard(payer.books, payer.id, NOON + 1);
    expect(await rowOf(payer.books, payer.id, FEE)).toMatchObject({ nextTryAt: NOON + 1 });
    await payer.database.query(
      "UPDATE payment SET status = 'failed', next_try_at = NULL, settled_at = now() WHERE account_id = $1",
      [payer.id],
    );
    await giveCard(payer.books, payer.id, NOON + 2);
    expect(await rowOf(payer.books, payer.id, FEE)).toMatchObject({ nextTryAt: NOON + 2 });
  });

  test.each(["pending", "succeeded"])(
    "that is %s is not affected by a new card",
    async (status) => {
      await openSubscriber(payer.books, payer.id, { at: NOON });
      await payer.database.query(
        "UPDATE payment SET status = $2, next_try_at = $3, settled_at = now() WHERE account_id = $1",
        [payer.id, status, new Date(NOON + DAY)],
      );
      await giveCard(payer.books, payer.id, NOON + 1);
      expect(await rowOf(payer.books, payer.id, FEE)).toMatchObject({
        status,
        nextTryAt: NOON + DAY,
      });
    },
  );
});

describe("a payment method that is removed", () => {
  const remove = (now: Instant) =>
    removePaymentMethod(payer.database, { accountId: payer.accountId, now, by: "test" });
  const WITHOUT = declined("no_payment_method");

  test("stops auto top-up, says so once, and another starts it again", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY, { credits: 100n * CREDIT });
    expect(await remove(NOON)).toEqual({ kind: "removed" });
    expect(await remove(NOON)).toEqual({ kind: "removed" });
    await use(payer.books, { [payer.id]: 100n }, NOON);
    await payer.look();
    expect(await autoOf(payer.books, payer.id)).toMatchObject({
      ...{ enabled: true, stopped: "There is no payment method; add one to pay.", lookAt: null },
    });
    expect(await toldOf(payer.books, payer.id)).toEqual(["1 stopped payment-method-removal:2"]);
    expect(await askTopUp(payer.books, payer.id, NOON)).toEqual({ kind: "no_payment_method" });
    await giveCard(payer.books, payer.id, NOON + 1);
    await payer.look(NOON + 1);
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 pending 1000"]);
  });

  test("is still that of the charge that the gateway has", async () => {
    await payer.runLow();
    await payer.look();
    const sent = await claimOf(payer.books, payer.id, NOON);
    await remove(NOON);
    const again = await claimOf(payer.books, payer.id, NOON + HOUR);
    expect(again).toMatchObject({ calls: 2, method: sent.method });
    await settlePayment(payer.database, again.payment, PAID, NOON + HOUR);
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 succeeded 1000"]);
  });

  test("leaves the next fee without one: it is declined, and tried again with another", async () => {
    const [september, october] = [Date.UTC(2026, 8, 15, 12), Date.UTC(2026, 9, 1)];
    await openSubscriber(payer.books, payer.id, { at: september });
    await giveCard(payer.books, payer.id, september);
    const first = await claimOf(payer.books, payer.id, september);
    await settlePayment(payer.database, first.payment, PAID, september);
    await remove(september + DAY);
    await payer.look(october);
    const due = await claimOf(payer.books, payer.id, october);
    expect(due).toMatchObject({ payment: { paymentId: "fee:1:1" }, method: null });
    await settlePayment(payer.database, due.payment, WITHOUT, october);
    expect(await rowOf(payer.books, payer.id, "fee:1:1")).toMatchObject({
      ...{ status: "retrying", nextTryAt: october + DAY },
    });
    await giveCard(payer.books, payer.id, october + HOUR);
    expect(await claimOf(payer.books, payer.id, october + HOUR)).toMatchObject({ method: CARD });
  });
});

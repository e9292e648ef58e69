/**
 * Top-ups by hand, in real Postgres, with the clock passed in and no gateway.
 *
 * - one for each key, however often and concurrently it is asked for; one in flight
 * - one that is refused leaves nothing behind
 */
import { describe, expect, test } from "vitest";
import {
  askTopUp,
  declined,
  openCardHolder,
  PAID,
  paymentsOf,
  pendingTopUp,
  toldOf,
} from "../../support/books/card-holders.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { payerOfTest } from "../../support/books/payer-of-test.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * 60_000;

const payer = payerOfTest();

describe("a top-up by hand", () => {
  test("repeated under its key is the same one, whatever its outcome", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const topUp = await pendingTopUp(payer.books, payer.id, NOON);
    const again = () => askTopUp(payer.books, payer.id, NOON + HOUR);
    expect(await again()).toEqual({ kind: "already_exists", topUp });
    await settlePayment(payer.database, topUp, PAID, NOON);
    expect(await again()).toMatchObject({ kind: "already_exists", topUp: { status: "succeeded" } });
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["manual:1 succeeded 1000"]);
  });

  test("requested concurrently under one key is one", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const asks = Array.from({ length: 8 }, () => askTopUp(payer.books, payer.id, NOON));
    const kinds = (await Promise.all(asks)).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(7).fill("already_exists"), "pending"]);
  });

  test("with another amount under the same key is a conflict", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const { amount, currency } = await pendingTopUp(payer.books, payer.id, NOON);
    expect(await askTopUp(payer.books, payer.id, NOON, { amount: 1_001n })).toEqual({
      ...{ kind: "top_up_exists", amount, currency },
    });
  });

  test("and an automatic one: one at a time", async () => {
    await payer.runLow();
    const byHand = await pendingTopUp(payer.books, payer.id, NOON, { amount: 50n });
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["manual:1 pending 50"]);
    expect(await askTopUp(payer.books, payer.id, NOON, { paymentId: "manual:2" })).toEqual({
      kind: "top_up_pending",
    });
    await settlePayment(payer.database, byHand, declined(), NOON + 1);
    // It was waiting, and is checked.
    expect(await payer.isToBeLookedAt(NOON + 1)).toBe(true);
    await payer.look(NOON + 1);
    expect(await paymentsOf(payer.books, payer.id)).toEqual([
      "manual:1 failed 50",
      "low-balance:1 pending 1000",
    ]);
  });

  test("that is refused leaves nothing behind", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    expect(await askTopUp(payer.books, payer.id, NOON, { amount: 49n })).toMatchObject({
      kind: "below_minimum",
    });
    expect(await paymentsOf(payer.books, payer.id)).toEqual([]);
    expect(await toldOf(payer.books, payer.id)).toEqual([]);
  });
});

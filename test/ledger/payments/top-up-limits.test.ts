/**
 * Limits of top-ups, in real Postgres, with the clock passed in and no gateway.
 *
 * - the limits hold for concurrent requests
 * - the seller's ceilings cut what a customer has set
 * - attempts to pay by hand are bounded, also concurrent and declined ones
 */
import { describe, expect, test } from "vitest";
import type { Instant } from "../../../shared/core/line/account.ts";
import { readAutoTopUpState } from "../../../shared/ledger/payments/auto-top-up-state.ts";
import { setPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import { readPayment, readTopUpsSoFar } from "../../../shared/ledger/payments/payments.ts";
import { setCeilings } from "../../../shared/ledger/payments/set-ceilings.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import {
  askTopUp,
  autoOf,
  CARD,
  claimOf,
  declined,
  newest,
  openCardHolder,
  PAID,
  paymentsOf,
  pendingTopUp,
  toldOf,
} from "../../support/books/card-holders.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { payerOfTest, TEN_DOLLARS } from "../../support/books/payer-of-test.ts";
import { use } from "../../support/books/payers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * 60_000;

const payer = payerOfTest();

describe("the limits", () => {
  test("hold for concurrent requests: one in flight, and no more than the day allows", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    await payer.setAutoTopUp(NOON, { limitPerDay: 3_500n });
    for (let round = 0; round < 5; round += 1) {
      const asks = Array.from({ length: 4 }, (_, i) =>
        askTopUp(payer.books, payer.id, NOON, { paymentId: `manual:${round}-${i}` }),
      );
      const pending = (await Promise.all(asks)).filter(({ kind }) => kind === "pending");
      expect(pending).toHaveLength(round < 3 ? 1 : 0);
      if (round < 3)
        await settlePayment(payer.database, await newest(payer.books, payer.id), PAID, NOON);
    }
    expect(
      await askTopUp(payer.books, payer.id, NOON, { paymentId: "manual:more", amount: 501n }),
    ).toEqual({
      ...{ kind: "above_limit", per: "day", left: 500n, limit: 3_500n, byCeiling: false },
      currency: "USD",
    });
  });

  test("of the seller hold for a hundred requests at once, however high the customer's are", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    await payer.setAutoTopUp(NOON, { limitPerDay: 200_000n, limitPerMonth: 1_000_000n });
    const seller = { accountId: payer.accountId, now: NOON, by: "seller" };
    await setCeilings(payer.database, seller, { amount: 1_000n, perDay: 3_500n });
    const buy = async (number: number) => {
      const paymentId = `manual:${number}`;
      const { kind } = await askTopUp(payer.books, payer.id, NOON, { paymentId });
      if (kind !== "pending") return;
      // The gateway pays at once, so that the next request finds none in flight.
      const made = await readPayment(payer.database, { accountId: payer.accountId, paymentId });
      if (made !== null) await settlePayment(payer.database, made, PAID, NOON);
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => buy(i)));
    expect((await paymentsOf(payer.books, payer.id)).length).toBeLessThanOrEqual(3);
    for (const number of [100, 101, 102, 103]) await buy(number);
    expect(await paymentsOf(payer.books, payer.id)).toHaveLength(3);
    expect(
      await askTopUp(payer.books, payer.id, NOON, { paymentId: "manual:more", amount: 501n }),
    ).toEqual({
      ...{ kind: "above_limit", per: "day", left: 500n, limit: 3_500n, byCeiling: true },
      currency: "USD",
    });
  });

  test("of the seller cut what was set before; raised, they end the wait for them", async () => {
    await payer.runLow();
    await payer.setAutoTopUp(NOON, { amount: 90_000n, limitPerDay: 90_000n });
    const seller = { accountId: payer.accountId, now: NOON, by: "seller" };
    await setCeilings(payer.database, seller, { amount: 2_000n, perDay: 2_000n });
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 pending 2000"]);
    await settlePayment(payer.database, await newest(payer.books, payer.id), PAID, NOON);
    await use(payer.books, { [payer.id]: 2n * TEN_DOLLARS }, NOON);
    await payer.look();
    expect(await autoOf(payer.books, payer.id)).toMatchObject({
      pausedUntil: Date.UTC(2026, 10, 23),
    });
    await setCeilings(payer.database, seller, { perDay: 4_000n });
    expect(await payer.isToBeLookedAt(NOON)).toBe(true);
    await payer.look();
    expect((await paymentsOf(payer.books, payer.id)).at(-1)).toBe("low-balance:2 pending 2000");
  });

  test("reset with the day of the account's zone; declines do not count", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY, { timeZone: "Pacific/Auckland" });
    await payer.setAutoTopUp(NOON, { limitPerDay: 1_000n });
    const first = await pendingTopUp(payer.books, payer.id, NOON);
    await settlePayment(payer.database, first, declined(), NOON);
    const second = await pendingTopUp(payer.books, payer.id, NOON, { paymentId: "manual:2" });
    await settlePayment(payer.database, second, PAID, NOON);
    // Noon in UTC is one o'clock of the 23rd in Auckland.
    const midnight = Date.UTC(2026, 10, 23, 11);
    const third = { paymentId: "manual:3", amount: 50n };
    expect(await askTopUp(payer.books, payer.id, midnight - 1, third)).toMatchObject({ left: 0n });
    expect(await askTopUp(payer.books, payer.id, midnight, third)).toMatchObject({
      kind: "pending",
    });
  });

  test("count a top-up from when it is pending, not once it is paid", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const charged = { today: 1_000n, thisMonth: 1_000n };
    const accountId = payer.accountId;
    const seen = async () => {
      const shown = await readAutoTopUpState(payer.database, { accountId, timeZone: "UTC" }, NOON);
      const asked = { accountId, crossing: 0n, today: NOON - DAY, thisMonth: NOON - DAY };
      const soFar = await inTransaction(payer.database, (transaction) =>
        readTopUpsSoFar(transaction, [asked], null),
      );
      return [shown.charged, soFar.get(accountId)?.spent];
    };
    const pending = await pendingTopUp(payer.books, payer.id, NOON);
    expect(await seen()).toEqual([charged, charged]);
    await settlePayment(payer.database, pending, PAID, NOON);
    expect(await seen()).toEqual([charged, charged]);
  });

  test("pause auto top-up until tomorrow, and publish it once", async () => {
    await payer.runLow();
    await payer.setAutoTopUp(NOON, { limitPerDay: 1_000n });
    await payer.look();
    await use(payer.books, { [payer.id]: TEN_DOLLARS }, NOON);
    await settlePayment(payer.database, await newest(payer.books, payer.id), PAID, NOON);
    await payer.look();
    await payer.look(NOON + HOUR);
    const tomorrow = Date.UTC(2026, 10, 23);
    expect(await autoOf(payer.books, payer.id)).toMatchObject({
      pausedUntil: tomorrow,
      lookAt: tomorrow,
    });
    await payer.look(tomorrow);
    expect(await toldOf(payer.books, payer.id)).toEqual([
      "1 pending low-balance:1",
      "2 succeeded low-balance:1",
      "3 paused low-balance:2",
      "4 pending low-balance:2",
    ]);
  });
});

describe("attempts to pay by hand are ten an hour, whatever came of them", () => {
  const tooMany = (from: Instant, now = from) => ({
    ...{ kind: "too_many_attempts", most: 10, until: from + HOUR, waitMs: from + HOUR - now },
  });

  /** Declined immediately, so that the next request finds none in flight. */
  async function tryCard(paymentId: string, now: Instant) {
    const outcome = await askTopUp(payer.books, payer.id, now, { paymentId });
    if (outcome.kind !== "pending") return outcome;
    const made = await readPayment(payer.database, { accountId: payer.accountId, paymentId });
    if (made !== null) await settlePayment(payer.database, made, declined(), now);
    return outcome;
  }

  const setCard = (now: Instant) =>
    setPaymentMethod(payer.database, { accountId: payer.accountId, now, by: "test" }, CARD);

  test("declined top-ups count, and the hour passes", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    for (let minute = 0; minute < 10; minute += 1) {
      const tried = await tryCard(`manual:${minute}`, NOON + minute * 60_000);
      expect(tried.kind).toBe("pending");
    }
    const now = NOON + 10 * 60_000;
    expect(await tryCard("manual:more", now)).toEqual(tooMany(NOON, now));
    expect(await setCard(now)).toEqual(tooMany(NOON, now));
    // The same request again is no attempt.
    expect(await tryCard("manual:9", now)).toMatchObject({ kind: "already_exists" });
    expect(await tryCard("manual:more", NOON + HOUR)).toMatchObject({ kind: "pending" });
  });

  test("fifty payment methods at once: ten are set", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY, { card: false });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => setCard(NOON)));
    expect(outcomes.filter(({ kind }) => kind === "set")).toHaveLength(10);
    expect(outcomes.filter(({ kind }) => kind !== "set")).toEqual(Array(40).fill(tooMany(NOON)));
  });

  test("fifty top-ups at once, each declined at once: ten reach the gateway", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    await Promise.all(Array.from({ length: 50 }, (_, i) => tryCard(`manual:${i}`, NOON)));
    for (let more = 50; more < 60; more += 1) await tryCard(`manual:${more}`, NOON);
    expect(await paymentsOf(payer.books, payer.id)).toHaveLength(10);
  });

  test("auto top-up starts again ten times, and its settings change while it runs", async () => {
    await payer.runLow();
    for (let tries = 0; tries < 10; tries += 1) {
      await payer.look();
      const { payment } = await claimOf(payer.books, payer.id, NOON);
      await settlePayment(payer.database, payment, declined(), NOON);
      if (tries < 9)
        expect(await payer.setAutoTopUp(NOON, { enabled: true })).toMatchObject({ kind: "set" });
    }
    expect(await payer.setAutoTopUp(NOON, { enabled: true })).toEqual(tooMany(NOON));
    // Switching it off is never refused, and is no way around.
    expect(await payer.setAutoTopUp(NOON, { enabled: false })).toMatchObject({ kind: "set" });
    expect(await payer.setAutoTopUp(NOON, { enabled: true })).toEqual(tooMany(NOON));
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toHaveLength(10);
    expect(await payer.setAutoTopUp(NOON + HOUR, { enabled: true })).toMatchObject({ kind: "set" });
    expect(await payer.setAutoTopUp(NOON + HOUR, { amount: 2_000n })).toMatchObject({
      kind: "set",
    });
  });
});

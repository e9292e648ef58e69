/**
 * Accounts that are low, in real Postgres, with the clock passed in and no gateway.
 *
 * - the account is settled first: no card is charged a second before the month's credits
 * - one top-up for each crossing, however often and concurrently it is checked; one in flight
 * - an outcome is posted once; the lot comes with it
 * - a set of accounts is topped up and settled together; one that fails does not hold up the others
 */
import { describe, expect, test } from "vitest";
import { settlingInSets } from "../../../services/top-up/settle-in-sets.ts";
import { decideThreshold } from "../../../shared/core/changes/change-threshold.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { settleAccounts } from "../../../shared/ledger/month/settle-accounts.ts";
import { settlePayments } from "../../../shared/ledger/payments/settle.ts";
import {
  topUpIfLow as topUpAllIfLow,
  topUpByHand,
} from "../../../shared/ledger/payments/top-up-account.ts";
import { openAccount } from "../../support/books/books.ts";
import {
  declined,
  giveCard,
  newest,
  openCardHolder,
  PAID,
  paymentsOf,
  rowOf,
  toldOf,
} from "../../support/books/card-holders.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { CREDIT, payerOfTest, TEN_DOLLARS } from "../../support/books/payer-of-test.ts";
import { balanceOf, use } from "../../support/books/payers.ts";
import { openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * 60_000;

const payer = payerOfTest();

describe("an account that is low", () => {
  test("gets one pending top-up, however often and concurrently it is checked", async () => {
    await payer.runLow();
    await Promise.all(Array.from({ length: 10 }, () => payer.look()));
    await payer.look(NOON + 1);
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 pending 1000"]);
    expect(await toldOf(payer.books, payer.id)).toEqual(["1 pending low-balance:1"]);
  });

  test("because its credits expired unused is charged once usage needs credits, and once", async () => {
    const expiresAt = NOON - HOUR;
    await openAccount(payer.books, payer.id, {
      at: NOON - DAY,
      lots: [{ credits: CREDIT, expiresAt }],
    });
    await giveCard(payer.books, payer.id, NOON - DAY);
    const run = { clock: NOON, completeUntil: expiresAt, limit: 100 };
    await settleAccounts(payer.database, run, null);
    await payer.look();
    await payer.setAutoTopUp(NOON, { enabled: true });
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toEqual([]);

    await use(payer.books, { [payer.id]: 1n }, NOON);
    await Promise.all([payer.look(), payer.look()]);
    await use(payer.books, { [payer.id]: 1n }, NOON);
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:2 pending 1000"]);
  });

  test("gets one lot, however often the outcome is posted", async () => {
    await payer.runLow();
    await payer.look();
    const topUp = await newest(payer.books, payer.id);
    const posts = Array.from({ length: 5 }, () =>
      settlePayment(payer.database, topUp, PAID, NOON + 1),
    );
    const kinds = (await Promise.all(posts)).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(4).fill("already_settled"), "settled"]);
    expect(await settlePayment(payer.database, topUp, declined(), NOON + 2)).toEqual({
      kind: "already_settled",
    });
    expect(await payer.balance()).toBe(TEN_DOLLARS);
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 succeeded 1000"]);
    expect(await toldOf(payer.books, payer.id)).toEqual([
      "1 pending low-balance:1",
      "2 succeeded low-balance:1",
    ]);
    expect(await rowOf(payer.books, payer.id, "low-balance:1")).toMatchObject({ nextTryAt: null });
  });

  test("by much gets one charge, not many; what it used meanwhile is repaid", async () => {
    await payer.runLow();
    await use(payer.books, { [payer.id]: 3n * TEN_DOLLARS }, NOON);
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 pending 4000"]);
    await use(payer.books, { [payer.id]: TEN_DOLLARS / 2n }, NOON + 1);
    await settlePayment(payer.database, await newest(payer.books, payer.id), PAID, NOON + 2);
    expect(await payer.balance()).toBe(TEN_DOLLARS / 2n);
    await payer.look(NOON + 2);
    expect(await paymentsOf(payer.books, payer.id)).toHaveLength(1);
  });

  test("and still low after the payment gets another one, for another crossing", async () => {
    await payer.runLow();
    await payer.look();
    await use(payer.books, { [payer.id]: TEN_DOLLARS }, NOON + 1);
    await settlePayment(payer.database, await newest(payer.books, payer.id), PAID, NOON + 2);
    await payer.look(NOON + 3);
    expect(await paymentsOf(payer.books, payer.id)).toEqual([
      "low-balance:1 succeeded 1000",
      "low-balance:2 pending 1000",
    ]);
  });

  test("with a declined card is tried again after the wait, under another id", async () => {
    await payer.runLow();
    await payer.look();
    await settlePayment(payer.database, await newest(payer.books, payer.id), declined(), NOON);
    expect(await payer.isToBeLookedAt(NOON + HOUR - 1)).toBe(false);
    await payer.look(NOON + HOUR - 1);
    expect(await payer.isToBeLookedAt(NOON + HOUR)).toBe(true);
    await payer.look(NOON + HOUR);
    expect(await paymentsOf(payer.books, payer.id)).toEqual([
      "low-balance:1 failed 1000",
      "low-balance:1:2 pending 1000",
    ]);
    expect(await toldOf(payer.books, payer.id)).toEqual([
      "1 pending low-balance:1",
      "2 failed low-balance:1",
      "3 paused low-balance:1",
      "4 pending low-balance:1:2",
    ]);
  });

  test("without a card publishes once that auto top-up stopped; with one it is topped up", async () => {
    await payer.runLow({ card: false });
    await payer.look();
    await payer.look(NOON + DAY);
    expect(await toldOf(payer.books, payer.id)).toEqual(["1 stopped low-balance:1"]);
    await giveCard(payer.books, payer.id, NOON + DAY);
    expect(await payer.isToBeLookedAt(NOON + DAY)).toBe(true);
    await payer.look(NOON + DAY);
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 pending 1000"]);
  });

  test("through a raised threshold is topped up above it", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const change = { accountId: payer.accountId, now: NOON, by: "test" };
    await changeSubscription(payer.database, change, (context) =>
      decideThreshold(600n * CREDIT, context),
    );
    await payer.look();
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 pending 2000"]);
  });

  test("that does not exist is reported as such", async () => {
    const unknown = { kind: "unknown_account", accountId: payer.id };
    expect(await payer.look()).toEqual(unknown);
    expect(await payer.setAutoTopUp(NOON, {})).toEqual(unknown);
    const asked = { accountId: payer.accountId, now: NOON };
    const outcome = await topUpByHand(payer.database, asked, { paymentId: "manual:1", amount: 1n });
    expect(outcome).toEqual(unknown);
  });
});

describe("a set of accounts", () => {
  /** Six accounts that are low, each with its payment. */
  async function openSet(names: readonly string[]) {
    for (const name of names) {
      await openCardHolder(payer.books, `${payer.id}-${name}`, NOON - DAY, { credits: CREDIT });
      await use(payer.books, { [`${payer.id}-${name}`]: 1n }, NOON);
    }
    const ids = names.map((name) => toAccountId(`${payer.id}-${name}`));
    const decisions = await topUpAllIfLow(payer.database, ids, NOON);
    return { ids, decisions };
  }

  const statuses = async (ids: readonly string[]) =>
    (await Promise.all(ids.map((each) => paymentsOf(payer.books, each)))).map((lines) =>
      lines.join(", "),
    );

  const NAMES = ["f", "e", "d", "c", "b", "a"];

  test("is topped up in one transaction, and none of them twice", async () => {
    const unknown = toAccountId("nobody");
    const { ids, decisions } = await openSet(NAMES);
    expect([...decisions.values()].every(({ topUp }) => topUp !== null)).toBe(true);
    const again = await topUpAllIfLow(payer.database, [...ids, unknown], NOON);
    expect([...again.keys()].toSorted()).toEqual([...ids].toSorted());
    expect(await statuses(ids)).toEqual(Array(6).fill("low-balance:1 pending 1000"));
    const transactions = await payer.database.query<{ created: string }>(
      "SELECT DISTINCT xmin::text AS created FROM payment WHERE account_id = ANY($1)",
      [ids],
    );
    expect(transactions.rows).toHaveLength(1);
  });

  test("is settled in one transaction: paid, declined, and settled before; each once", async () => {
    const { ids } = await openSet(NAMES);
    const payments = await Promise.all(ids.map((each) => newest(payer.books, each)));
    const outcomes = payments.map((payment, at) => ({
      payment,
      outcome: at === 1 ? declined() : PAID,
    }));
    const settle = () => settlePayments(payer.database, outcomes, NOON + 1);
    const early = outcomes.slice(2, 3);
    await settlePayments(payer.database, early, NOON);
    const concurrent = await Promise.all([settle(), settle()]);
    const kinds = concurrent.flatMap((settled) => [...settled.values()].map(({ kind }) => kind));
    expect(kinds.filter((kind) => kind === "settled")).toHaveLength(5);
    const expected = ids.map((_, at) => `low-balance:1 ${at === 1 ? "failed" : "succeeded"} 1000`);
    expect(await statuses(ids)).toEqual(expected);
    for (const [at, each] of ids.entries()) {
      expect(await balanceOf(payer.books, each)).toBe(at === 1 ? 0n : TEN_DOLLARS * CREDIT);
      expect(await brokenInvariants(payer.database, each)).toEqual([]);
    }
  });

  test("with one that cannot be posted settles the others, and finds that one", async () => {
    const { ids } = await openSet(NAMES);
    const [, , poisoned = ""] = ids;
    // Its lot has no room on the line.
    const full = "UPDATE payment SET credits = 9223372036854775807 WHERE account_id = $1";
    await payer.database.query(full, [poisoned]);
    const payments = await Promise.all(ids.map((each) => newest(payer.books, each)));
    const settle = settlingInSets({ database: payer.database, now: () => NOON + 1 });
    const ends = await Promise.allSettled(
      payments.map((payment) => settle({ payment, outcome: PAID })),
    );
    expect(ends.map(({ status }) => status)).toEqual(
      ids.map((each) => (each === poisoned ? "rejected" : "fulfilled")),
    );
    expect(ends.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { message: expect.stringContaining(`account ${poisoned} has no room`) },
    });
    expect(await statuses(ids)).toEqual(
      ids.map((each) => `low-balance:1 ${each === poisoned ? "pending" : "succeeded"} 1000`),
    );
  });
});

describe("the account is settled first", () => {
  const SUBSCRIBED = Date.UTC(2026, 8, 10);
  const OCTOBER = Date.UTC(2026, 9, 1);

  test("when low as its month turns, it gets the month's credits, and no card is charged", async () => {
    await openSubscriber(payer.books, payer.id, { at: SUBSCRIBED });
    await giveCard(payer.books, payer.id, SUBSCRIBED);
    await use(payer.books, { [payer.id]: 100n }, OCTOBER - 1);
    expect(await payer.balance()).toBe(0n);
    await payer.look(OCTOBER);
    expect(await payer.balance()).toBe(100n);
    expect(
      (await paymentsOf(payer.books, payer.id)).filter((one) => !one.startsWith("fee:")),
    ).toEqual([]);
  });

  test("a millisecond before, the card is charged", async () => {
    await openSubscriber(payer.books, payer.id, { at: SUBSCRIBED });
    await giveCard(payer.books, payer.id, SUBSCRIBED);
    await use(payer.books, { [payer.id]: 100n }, OCTOBER - 1);
    await payer.look(OCTOBER - 1);
    expect(await newest(payer.books, payer.id)).toMatchObject({ paymentId: "low-balance:1" });
  });
});

/**
 * Top-ups in real Postgres, with the clock passed in and no gateway.
 *
 * - the account is settled first: no card is charged a second before the month's credits
 * - one top-up for each crossing, however often and concurrently it is checked; one in flight
 * - the limits hold for concurrent requests
 * - an outcome is posted once; the lot comes with it
 * - the seller's ceilings cut what a customer has set
 * - a set of accounts is topped up and settled together; one that fails does not hold up the others
 * - attempts to pay by hand are bounded, also concurrent and declined ones
 * - auto top-up ends with the subscription, unless the customer keeps it
 * - settings and cards affect what comes next, never what is pending
 * - without its payment method, an account is not charged until it has another
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { settlingInSets } from "../../../services/top-up/settle-in-sets.ts";
import { decideCancel } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideSettings } from "../../../shared/core/changes/change-settings.ts";
import { decideThreshold } from "../../../shared/core/changes/change-threshold.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { autoTopUpsToLookAt } from "../../../shared/ledger/books/auto-top-ups.ts";
import { listSettingChanges } from "../../../shared/ledger/books/setting-changes.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { settleAccounts } from "../../../shared/ledger/month/settle-accounts.ts";
import { readAutoTopUpState } from "../../../shared/ledger/payments/auto-top-up-state.ts";
import { removePaymentMethod, setPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import { readPayment, readTopUpsSoFar } from "../../../shared/ledger/payments/payments.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { setCeilings } from "../../../shared/ledger/payments/set-ceilings.ts";
import { settlePayments } from "../../../shared/ledger/payments/settle.ts";
import {
  topUpIfLow as topUpAllIfLow,
  topUpByHand,
} from "../../../shared/ledger/payments/top-up-account.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import {
  askTopUp,
  autoOf,
  CARD,
  claimOf,
  declined,
  giveCard,
  newest,
  openCardHolder,
  PAID,
  paymentsOf,
  pendingTopUp,
  rowOf,
  toldOf,
} from "../../support/books/card-holders.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { settlePayment, topUpIfLow } from "../../support/books/one-payment.ts";
import { balanceOf, sellCredits, use } from "../../support/books/payers.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * 60_000;
const CREDIT = 1_000_000n;
/** Ten dollars buy 500 credits, of which a call costs one. */
const TEN_DOLLARS = 500n;

let books: Books;
let accounts = 0;
/** The current test's account. */
let id: string;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
  await sellCredits(books);
});

afterAll(() => books?.close());

beforeEach(() => {
  accounts += 1;
  id = `payer-${accounts}`;
});

afterEach(async () => {
  expect(await brokenInvariants(books.database, id)).toEqual([]);
});

/** An account, by default with a card, whose 100 credits are used up at noon. */
async function runLow(given: Parameters<typeof openCardHolder>[3] = {}): Promise<void> {
  await openCardHolder(books, id, NOON - DAY, { credits: 100n * CREDIT, ...given });
  await use(books, { [id]: 100n }, NOON);
}

function look(now: Instant = NOON) {
  return topUpIfLow(books.database, { accountId: toAccountId(id), now });
}

function set(now: Instant, asked: Partial<TopUpSettings>) {
  return setAutoTopUp(books.database, { accountId: toAccountId(id), now, by: "test" }, asked);
}

async function isToBeLookedAt(now: Instant): Promise<boolean> {
  const accountIds: readonly string[] = await autoTopUpsToLookAt(books.database, now, 1_000);
  return accountIds.includes(id);
}

async function balance(): Promise<bigint> {
  return (await balanceOf(books, id)) / CREDIT;
}

describe("an account that is low", () => {
  test("gets one pending top-up, however often and concurrently it is checked", async () => {
    await runLow();
    await Promise.all(Array.from({ length: 10 }, () => look()));
    await look(NOON + 1);
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 pending 1000"]);
    expect(await toldOf(books, id)).toEqual(["1 pending low-balance:1"]);
  });

  test("because its credits expired unused is charged once usage needs credits, and once", async () => {
    const expiresAt = NOON - HOUR;
    await openAccount(books, id, { at: NOON - DAY, lots: [{ credits: CREDIT, expiresAt }] });
    await giveCard(books, id, NOON - DAY);
    const run = { clock: NOON, completeUntil: expiresAt, limit: 100 };
    await settleAccounts(books.database, run, null);
    await look();
    await set(NOON, { enabled: true });
    await look();
    expect(await paymentsOf(books, id)).toEqual([]);

    await use(books, { [id]: 1n }, NOON);
    await Promise.all([look(), look()]);
    await use(books, { [id]: 1n }, NOON);
    await look();
    expect(await paymentsOf(books, id)).toEqual(["low-balance:2 pending 1000"]);
  });

  test("gets one lot, however often the outcome is posted", async () => {
    await runLow();
    await look();
    const topUp = await newest(books, id);
    const posts = Array.from({ length: 5 }, () =>
      settlePayment(books.database, topUp, PAID, NOON + 1),
    );
    const kinds = (await Promise.all(posts)).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(4).fill("already_settled"), "settled"]);
    expect(await settlePayment(books.database, topUp, declined(), NOON + 2)).toEqual({
      kind: "already_settled",
    });
    expect(await balance()).toBe(TEN_DOLLARS);
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 succeeded 1000"]);
    expect(await toldOf(books, id)).toEqual([
      "1 pending low-balance:1",
      "2 succeeded low-balance:1",
    ]);
    expect(await rowOf(books, id, "low-balance:1")).toMatchObject({ nextTryAt: null });
  });

  test("by much gets one charge, not many; what it used meanwhile is repaid", async () => {
    await runLow();
    await use(books, { [id]: 3n * TEN_DOLLARS }, NOON);
    await look();
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 pending 4000"]);
    await use(books, { [id]: TEN_DOLLARS / 2n }, NOON + 1);
    await settlePayment(books.database, await newest(books, id), PAID, NOON + 2);
    expect(await balance()).toBe(TEN_DOLLARS / 2n);
    await look(NOON + 2);
    expect(await paymentsOf(books, id)).toHaveLength(1);
  });

  test("and still low after the payment gets another one, for another crossing", async () => {
    await runLow();
    await look();
    await use(books, { [id]: TEN_DOLLARS }, NOON + 1);
    await settlePayment(books.database, await newest(books, id), PAID, NOON + 2);
    await look(NOON + 3);
    expect(await paymentsOf(books, id)).toEqual([
      "low-balance:1 succeeded 1000",
      "low-balance:2 pending 1000",
    ]);
  });

  test("with a declined card is tried again after the wait, under another id", async () => {
    await runLow();
    await look();
    await settlePayment(books.database, await newest(books, id), declined(), NOON);
    expect(await isToBeLookedAt(NOON + HOUR - 1)).toBe(false);
    await look(NOON + HOUR - 1);
    expect(await isToBeLookedAt(NOON + HOUR)).toBe(true);
    await look(NOON + HOUR);
    expect(await paymentsOf(books, id)).toEqual([
      "low-balance:1 failed 1000",
      "low-balance:1:2 pending 1000",
    ]);
    expect(await toldOf(books, id)).toEqual([
      "1 pending low-balance:1",
      "2 failed low-balance:1",
      "3 paused low-balance:1",
      "4 pending low-balance:1:2",
    ]);
  });

  test("without a card publishes once that auto top-up stopped; with one it is topped up", async () => {
    await runLow({ card: false });
    await look();
    await look(NOON + DAY);
    expect(await toldOf(books, id)).toEqual(["1 stopped low-balance:1"]);
    await giveCard(books, id, NOON + DAY);
    expect(await isToBeLookedAt(NOON + DAY)).toBe(true);
    await look(NOON + DAY);
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 pending 1000"]);
  });

  test("through a raised threshold is topped up above it", async () => {
    await openCardHolder(books, id, NOON - DAY);
    const change = { accountId: toAccountId(id), now: NOON, by: "test" };
    await changeSubscription(books.database, change, (context) =>
      decideThreshold(600n * CREDIT, context),
    );
    await look();
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 pending 2000"]);
  });

  test("that does not exist is reported as such", async () => {
    const unknown = { kind: "unknown_account", accountId: id };
    expect(await look()).toEqual(unknown);
    expect(await set(NOON, {})).toEqual(unknown);
    const asked = { accountId: toAccountId(id), now: NOON };
    const outcome = await topUpByHand(books.database, asked, { paymentId: "manual:1", amount: 1n });
    expect(outcome).toEqual(unknown);
  });
});

describe("a set of accounts", () => {
  /** Six accounts that are low, each with its payment. */
  async function openSet(names: readonly string[]) {
    for (const name of names) {
      await openCardHolder(books, `${id}-${name}`, NOON - DAY, { credits: CREDIT });
      await use(books, { [`${id}-${name}`]: 1n }, NOON);
    }
    const ids = names.map((name) => toAccountId(`${id}-${name}`));
    const decisions = await topUpAllIfLow(books.database, ids, NOON);
    return { ids, decisions };
  }

  const statuses = async (ids: readonly string[]) =>
    (await Promise.all(ids.map((each) => paymentsOf(books, each)))).map((lines) =>
      lines.join(", "),
    );

  const NAMES = ["f", "e", "d", "c", "b", "a"];

  test("is topped up in one transaction, and none of them twice", async () => {
    const unknown = toAccountId("nobody");
    const { ids, decisions } = await openSet(NAMES);
    expect([...decisions.values()].every(({ topUp }) => topUp !== null)).toBe(true);
    const again = await topUpAllIfLow(books.database, [...ids, unknown], NOON);
    expect([...again.keys()].toSorted()).toEqual([...ids].toSorted());
    expect(await statuses(ids)).toEqual(Array(6).fill("low-balance:1 pending 1000"));
    const transactions = await books.database.query<{ created: string }>(
      "SELECT DISTINCT xmin::text AS created FROM payment WHERE account_id = ANY($1)",
      [ids],
    );
    expect(transactions.rows).toHaveLength(1);
  });

  test("is settled in one transaction: paid, declined, and settled before; each once", async () => {
    const { ids } = await openSet(NAMES);
    const payments = await Promise.all(ids.map((each) => newest(books, each)));
    const outcomes = payments.map((payment, at) => ({
      payment,
      outcome: at === 1 ? declined() : PAID,
    }));
    const settle = () => settlePayments(books.database, outcomes, NOON + 1);
    const early = outcomes.slice(2, 3);
    await settlePayments(books.database, early, NOON);
    const concurrent = await Promise.all([settle(), settle()]);
    const kinds = concurrent.flatMap((settled) => [...settled.values()].map(({ kind }) => kind));
    expect(kinds.filter((kind) => kind === "settled")).toHaveLength(5);
    const expected = ids.map((_, at) => `low-balance:1 ${at === 1 ? "failed" : "succeeded"} 1000`);
    expect(await statuses(ids)).toEqual(expected);
    for (const [at, each] of ids.entries()) {
      expect(await balanceOf(books, each)).toBe(at === 1 ? 0n : TEN_DOLLARS * CREDIT);
      expect(await brokenInvariants(books.database, each)).toEqual([]);
    }
  });

  test("with one that cannot be posted settles the others, and finds that one", async () => {
    const { ids } = await openSet(NAMES);
    const [, , poisoned = ""] = ids;
    // Its lot has no room on the line.
    const full = "UPDATE payment SET credits = 9223372036854775807 WHERE account_id = $1";
    await books.database.query(full, [poisoned]);
    const payments = await Promise.all(ids.map((each) => newest(books, each)));
    const settle = settlingInSets({ database: books.database, now: () => NOON + 1 });
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
    await openSubscriber(books, id, { at: SUBSCRIBED });
    await giveCard(books, id, SUBSCRIBED);
    await use(books, { [id]: 100n }, OCTOBER - 1);
    expect(await balance()).toBe(0n);
    await look(OCTOBER);
    expect(await balance()).toBe(100n);
    expect((await paymentsOf(books, id)).filter((one) => !one.startsWith("fee:"))).toEqual([]);
  });

  test("a millisecond before, the card is charged", async () => {
    await openSubscriber(books, id, { at: SUBSCRIBED });
    await giveCard(books, id, SUBSCRIBED);
    await use(books, { [id]: 100n }, OCTOBER - 1);
    await look(OCTOBER - 1);
    expect(await newest(books, id)).toMatchObject({ paymentId: "low-balance:1" });
  });
});

describe("the limits", () => {
  test("hold for concurrent requests: one in flight, and no more than the day allows", async () => {
    await openCardHolder(books, id, NOON - DAY);
    await set(NOON, { limitPerDay: 3_500n });
    for (let round = 0; round < 5; round += 1) {
      const asks = Array.from({ length: 4 }, (_, i) =>
        askTopUp(books, id, NOON, { paymentId: `manual:${round}-${i}` }),
      );
      const pending = (await Promise.all(asks)).filter(({ kind }) => kind === "pending");
      expect(pending).toHaveLength(round < 3 ? 1 : 0);
      if (round < 3) await settlePayment(books.database, await newest(books, id), PAID, NOON);
    }
    expect(await askTopUp(books, id, NOON, { paymentId: "manual:more", amount: 501n })).toEqual({
      ...{ kind: "above_limit", per: "day", left: 500n, limit: 3_500n, byCeiling: false },
      currency: "USD",
    });
  });

  test("of the seller hold for a hundred requests at once, however high the customer's are", async () => {
    await openCardHolder(books, id, NOON - DAY);
    await set(NOON, { limitPerDay: 200_000n, limitPerMonth: 1_000_000n });
    const seller = { accountId: toAccountId(id), now: NOON, by: "seller" };
    await setCeilings(books.database, seller, { amount: 1_000n, perDay: 3_500n });
    const buy = async (number: number) => {
      const paymentId = `manual:${number}`;
      const { kind } = await askTopUp(books, id, NOON, { paymentId });
      if (kind !== "pending") return;
      // The gateway pays at once, so that the next request finds none in flight.
      const made = await readPayment(books.database, { accountId: toAccountId(id), paymentId });
      if (made !== null) await settlePayment(books.database, made, PAID, NOON);
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => buy(i)));
    expect((await paymentsOf(books, id)).length).toBeLessThanOrEqual(3);
    for (const number of [100, 101, 102, 103]) await buy(number);
    expect(await paymentsOf(books, id)).toHaveLength(3);
    expect(await askTopUp(books, id, NOON, { paymentId: "manual:more", amount: 501n })).toEqual({
      ...{ kind: "above_limit", per: "day", left: 500n, limit: 3_500n, byCeiling: true },
      currency: "USD",
    });
  });

  test("of the seller cut what was set before; raised, they end the wait for them", async () => {
    await runLow();
    await set(NOON, { amount: 90_000n, limitPerDay: 90_000n });
    const seller = { accountId: toAccountId(id), now: NOON, by: "seller" };
    await setCeilings(books.database, seller, { amount: 2_000n, perDay: 2_000n });
    await look();
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 pending 2000"]);
    await settlePayment(books.database, await newest(books, id), PAID, NOON);
    await use(books, { [id]: 2n * TEN_DOLLARS }, NOON);
    await look();
    expect(await autoOf(books, id)).toMatchObject({ pausedUntil: Date.UTC(2026, 10, 23) });
    await setCeilings(books.database, seller, { perDay: 4_000n });
    expect(await isToBeLookedAt(NOON)).toBe(true);
    await look();
    expect((await paymentsOf(books, id)).at(-1)).toBe("low-balance:2 pending 2000");
  });

  test("reset with the day of the account's zone; declines do not count", async () => {
    await openCardHolder(books, id, NOON - DAY, { timeZone: "Pacific/Auckland" });
    await set(NOON, { limitPerDay: 1_000n });
    const first = await pendingTopUp(books, id, NOON);
    await settlePayment(books.database, first, declined(), NOON);
    const second = await pendingTopUp(books, id, NOON, { paymentId: "manual:2" });
    await settlePayment(books.database, second, PAID, NOON);
    // Noon in UTC is one o'clock of the 23rd in Auckland.
    const midnight = Date.UTC(2026, 10, 23, 11);
    const third = { paymentId: "manual:3", amount: 50n };
    expect(await askTopUp(books, id, midnight - 1, third)).toMatchObject({ left: 0n });
    expect(await askTopUp(books, id, midnight, third)).toMatchObject({ kind: "pending" });
  });

  test("count a top-up from when it is pending, not once it is paid", async () => {
    await openCardHolder(books, id, NOON - DAY);
    const charged = { today: 1_000n, thisMonth: 1_000n };
    const accountId = toAccountId(id);
    const seen = async () => {
      const shown = await readAutoTopUpState(books.database, { accountId, timeZone: "UTC" }, NOON);
      const asked = { accountId, crossing: 0n, today: NOON - DAY, thisMonth: NOON - DAY };
      const soFar = await inTransaction(books.database, (transaction) =>
        readTopUpsSoFar(transaction, [asked]),
      );
      return [shown.charged, soFar.get(accountId)?.spent];
    };
    const pending = await pendingTopUp(books, id, NOON);
    expect(await seen()).toEqual([charged, charged]);
    await settlePayment(books.database, pending, PAID, NOON);
    expect(await seen()).toEqual([charged, charged]);
  });

  test("pause auto top-up until tomorrow, and publish it once", async () => {
    await runLow();
    await set(NOON, { limitPerDay: 1_000n });
    await look();
    await use(books, { [id]: TEN_DOLLARS }, NOON);
    await settlePayment(books.database, await newest(books, id), PAID, NOON);
    await look();
    await look(NOON + HOUR);
    const tomorrow = Date.UTC(2026, 10, 23);
    expect(await autoOf(books, id)).toMatchObject({ pausedUntil: tomorrow, lookAt: tomorrow });
    await look(tomorrow);
    expect(await toldOf(books, id)).toEqual([
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
    const outcome = await askTopUp(books, id, now, { paymentId });
    if (outcome.kind !== "pending") return outcome;
    const made = await readPayment(books.database, { accountId: toAccountId(id), paymentId });
    if (made !== null) await settlePayment(books.database, made, declined(), now);
    return outcome;
  }

  const setCard = (now: Instant) =>
    setPaymentMethod(books.database, { accountId: toAccountId(id), now, by: "test" }, CARD);

  test("declined top-ups count, and the hour passes", async () => {
    await openCardHolder(books, id, NOON - DAY);
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
    await openCardHolder(books, id, NOON - DAY, { card: false });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => setCard(NOON)));
    expect(outcomes.filter(({ kind }) => kind === "set")).toHaveLength(10);
    expect(outcomes.filter(({ kind }) => kind !== "set")).toEqual(Array(40).fill(tooMany(NOON)));
  });

  test("fifty top-ups at once, each declined at once: ten reach the gateway", async () => {
    await openCardHolder(books, id, NOON - DAY);
    await Promise.all(Array.from({ length: 50 }, (_, i) => tryCard(`manual:${i}`, NOON)));
    for (let more = 50; more < 60; more += 1) await tryCard(`manual:${more}`, NOON);
    expect(await paymentsOf(books, id)).toHaveLength(10);
  });

  test("auto top-up starts again ten times, and its settings change while it runs", async () => {
    await runLow();
    for (let tries = 0; tries < 10; tries += 1) {
      await look();
      const { payment } = await claimOf(books, id, NOON);
      await settlePayment(books.database, payment, declined(), NOON);
      if (tries < 9) expect(await set(NOON, { enabled: true })).toMatchObject({ kind: "set" });
    }
    expect(await set(NOON, { enabled: true })).toEqual(tooMany(NOON));
    // Switching it off is never refused, and is no way around.
    expect(await set(NOON, { enabled: false })).toMatchObject({ kind: "set" });
    expect(await set(NOON, { enabled: true })).toEqual(tooMany(NOON));
    await look();
    expect(await paymentsOf(books, id)).toHaveLength(10);
    expect(await set(NOON + HOUR, { enabled: true })).toMatchObject({ kind: "set" });
    expect(await set(NOON + HOUR, { amount: 2_000n })).toMatchObject({ kind: "set" });
  });
});

describe("when the subscription ends", () => {
  const SEPTEMBER_15 = Date.UTC(2026, 8, 15, 12);
  const OCTOBER = Date.UTC(2026, 9, 1);

  /** A subscriber with a card whose subscription was cancelled in September. */
  async function cancelled(): Promise<void> {
    await openSubscriber(books, id, { at: SEPTEMBER_15 });
    await giveCard(books, id, SEPTEMBER_15);
    const change = { accountId: toAccountId(id), now: SEPTEMBER_15 + HOUR, by: "test" };
    expect(await changeSubscription(books.database, change, decideCancel)).toMatchObject({
      kind: "changed",
    });
  }

  function consentAt(now: Instant) {
    const account = { accountId: toAccountId(id), timeZone: "UTC" };
    return readAutoTopUpState(books.database, account, now);
  }

  async function lastSetting() {
    const range = { before: null, limit: 1 };
    const last = await inTransaction(books.database, (transaction) =>
      listSettingChanges(transaction, toAccountId(id), range),
    );
    return last[0];
  }

  const ways = [
    { way: "the scheduler", settle: () => runSchedule() },
    { way: "the check for a top-up", settle: () => look(OCTOBER) },
    { way: "its usage", settle: () => use(books, { [id]: 1n }, OCTOBER) },
  ];
  test.each(ways)("auto top-up ends, by $way, and charges nothing after", async ({ settle }) => {
    await cancelled();
    await use(books, { [id]: 100n }, OCTOBER - 1);
    await settle();
    expect(await autoOf(books, id)).toMatchObject({
      ...{ enabled: false, stopped: expect.stringContaining("ended with the subscription") },
    });
    expect(await lastSetting()).toMatchObject({
      ...{ by: "schedule", settings: { autoTopUp: { enabled: false } } },
    });
    await use(books, { [id]: 10n }, OCTOBER + HOUR);
    await look(OCTOBER + HOUR);
    await giveCard(books, id, OCTOBER + HOUR);
    await look(OCTOBER + 2 * HOUR);
    expect((await paymentsOf(books, id)).filter((one) => !one.startsWith("fee:"))).toEqual([]);
    expect(await toldOf(books, id)).toEqual(["1 stopped subscription-end:3"]);
    expect((await consentAt(OCTOBER)).consent).toBe(null);
  });

  test("the customer can switch it on again, which is consent", async () => {
    await cancelled();
    await use(books, { [id]: 100n }, OCTOBER - 1);
    // The end is settled first: what is asked for comes after it.
    await set(OCTOBER, { enabled: true });
    expect(await autoOf(books, id)).toMatchObject({ enabled: true, stopped: null });
    expect((await consentAt(OCTOBER)).consent).toEqual({
      ...{ by: "test", at: OCTOBER, byDefault: false },
    });
    await look(OCTOBER);
    expect(await newest(books, id)).toMatchObject({ status: "pending", amount: 1_000n });
  });

  test("it goes on where the customer keeps it, or never subscribed", async () => {
    await cancelled();
    await set(SEPTEMBER_15 + HOUR, { keepAfterSubscription: true });
    await use(books, { [id]: 100n }, OCTOBER - 1);
    await look(OCTOBER);
    expect(await newest(books, id)).toMatchObject({ paymentId: "low-balance:1" });
    expect(await autoOf(books, id)).toMatchObject({ enabled: true, stopped: null });
  });

  async function runSchedule(): Promise<void> {
    const run = { clock: OCTOBER, completeUntil: null, limit: 100 };
    await settleAccounts(books.database, run, null);
  }
});

describe("consent is who agreed to be charged, and when", () => {
  const agreed = async (now: Instant) => {
    const account = { accountId: toAccountId(id), timeZone: "UTC" };
    return (await readAutoTopUpState(books.database, account, now)).consent;
  };
  const setBy = (by: string, now: Instant, asked: Partial<TopUpSettings>) =>
    setAutoTopUp(books.database, { accountId: toAccountId(id), now, by }, asked);

  test("by default with the account; then whoever changed what is charged last", async () => {
    await openCardHolder(books, id, NOON - DAY);
    expect(await agreed(NOON)).toEqual({ by: "test", at: NOON - DAY, byDefault: true });
    await setBy("token:payer", NOON, { amount: 2_500n });
    const consent = { by: "token:payer", at: NOON, byDefault: false };
    expect(await agreed(NOON)).toEqual(consent);
    // Neither the seller's ceilings nor another time zone is the customer's agreement.
    const seller = { accountId: toAccountId(id), now: NOON + HOUR, by: "key:seller" };
    await setCeilings(books.database, seller, { perDay: 50_000n });
    await changeSubscription(books.database, seller, (context) =>
      decideSettings({ timeZone: "Asia/Tokyo" }, context),
    );
    expect(await agreed(NOON + HOUR)).toEqual(consent);
    await setBy("token:payer", NOON + 2 * HOUR, { enabled: false });
    expect(await agreed(NOON + 2 * HOUR)).toBe(null);
    await setBy("key:seller", NOON + 3 * HOUR, { enabled: true });
    expect(await agreed(NOON + 3 * HOUR)).toMatchObject({ by: "key:seller" });
    await changeSubscription(
      books.database,
      { accountId: toAccountId(id), now: NOON + 4 * HOUR, by: "token:payer" },
      (context) => decideThreshold(5n, context),
    );
    expect(await agreed(NOON + 4 * HOUR)).toMatchObject({ by: "token:payer" });
  });
});

describe("a top-up by hand", () => {
  test("repeated under its key is the same one, whatever its outcome", async () => {
    await openCardHolder(books, id, NOON - DAY);
    const topUp = await pendingTopUp(books, id, NOON);
    const again = () => askTopUp(books, id, NOON + HOUR);
    expect(await again()).toEqual({ kind: "already_exists", topUp });
    await settlePayment(books.database, topUp, PAID, NOON);
    expect(await again()).toMatchObject({ kind: "already_exists", topUp: { status: "succeeded" } });
    expect(await paymentsOf(books, id)).toEqual(["manual:1 succeeded 1000"]);
  });

  test("requested concurrently under one key is one", async () => {
    await openCardHolder(books, id, NOON - DAY);
    const asks = Array.from({ length: 8 }, () => askTopUp(books, id, NOON));
    const kinds = (await Promise.all(asks)).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...Array(7).fill("already_exists"), "pending"]);
  });

  test("with another amount under the same key is a conflict", async () => {
    await openCardHolder(books, id, NOON - DAY);
    const { amount, currency } = await pendingTopUp(books, id, NOON);
    expect(await askTopUp(books, id, NOON, { amount: 1_001n })).toEqual({
      ...{ kind: "top_up_exists", amount, currency },
    });
  });

  test("and an automatic one: one at a time", async () => {
    await runLow();
    const byHand = await pendingTopUp(books, id, NOON, { amount: 50n });
    await look();
    expect(await paymentsOf(books, id)).toEqual(["manual:1 pending 50"]);
    expect(await askTopUp(books, id, NOON, { paymentId: "manual:2" })).toEqual({
      kind: "top_up_pending",
    });
    await settlePayment(books.database, byHand, declined(), NOON + 1);
    // It was waiting, and is checked.
    expect(await isToBeLookedAt(NOON + 1)).toBe(true);
    await look(NOON + 1);
    expect(await paymentsOf(books, id)).toEqual([
      "manual:1 failed 50",
      "low-balance:1 pending 1000",
    ]);
  });

  test("that is refused leaves nothing behind", async () => {
    await openCardHolder(books, id, NOON - DAY);
    expect(await askTopUp(books, id, NOON, { amount: 49n })).toMatchObject({
      kind: "below_minimum",
    });
    expect(await paymentsOf(books, id)).toEqual([]);
    expect(await toldOf(books, id)).toEqual([]);
  });
});

describe("settings", () => {
  test("when changed, leave a pending top-up unchanged, and apply from the next crossing", async () => {
    await runLow();
    await look();
    const before = await newest(books, id);
    await set(NOON, { amount: 2_500n, limitPerDay: 2_500n });
    expect(await newest(books, id)).toEqual(before);
    await settlePayment(books.database, before, PAID, NOON + 1);
    await use(books, { [id]: TEN_DOLLARS }, NOON + DAY);
    await look(NOON + DAY);
    expect(await paymentsOf(books, id)).toEqual([
      "low-balance:1 succeeded 1000",
      "low-balance:2 pending 2500",
    ]);
  });

  test("turned off: a pending top-up still completes, and the next crossing causes none", async () => {
    await runLow();
    await look();
    await set(NOON, { enabled: false });
    await settlePayment(books.database, await newest(books, id), PAID, NOON);
    await use(books, { [id]: TEN_DOLLARS }, NOON + 1);
    await look(NOON + 1);
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 succeeded 1000"]);
  });

  test("are stored as given; those not given are kept", async () => {
    await openCardHolder(books, id, NOON - DAY);
    await set(NOON, { amount: 700n, limitPerDay: 1_400n, limitPerMonth: 2_800n });
    await set(NOON, { enabled: false, limitPerMonth: null });
    expect(await autoOf(books, id)).toMatchObject({
      ...{ enabled: false, amount: 700n, limitPerDay: 1_400n, limitPerMonth: null },
    });
  });

  test("that are refused change nothing", async () => {
    await openCardHolder(books, id, NOON - DAY);
    const before = await autoOf(books, id);
    expect(await set(NOON, { amount: 49n })).toMatchObject({ kind: "below_minimum" });
    expect(await autoOf(books, id)).toEqual(before);
  });

  test.each<[string, (now: Instant) => Promise<unknown>]>([
    ["switching it on again", (now) => set(now, { enabled: true })],
    ["another card", (now) => giveCard(books, id, now)],
  ])("restart a stopped auto top-up: %s", async (_, act) => {
    await runLow();
    await look();
    const outcome = declined("expired");
    await settlePayment(books.database, await newest(books, id), outcome, NOON);
    expect((await autoOf(books, id)).stopped).toContain("The card has expired.");
    await look(NOON + DAY);
    expect(await paymentsOf(books, id)).toHaveLength(1);
    await act(NOON + DAY);
    expect(await autoOf(books, id)).toMatchObject({ stopped: null, declines: 0 });
    await look(NOON + DAY);
    expect(await paymentsOf(books, id)).toEqual([
      "low-balance:1 failed 1000",
      "low-balance:1:2 pending 1000",
    ]);
  });
});

describe("a fee", () => {
  const FEE = "fee:1:0";

  test("that was declined is tried again immediately with a new card, given up or not", async () => {
    await openSubscriber(books, id, { at: NOON });
    await books.database.query(
      "UPDATE payment SET status = 'retrying', next_try_at = $2 WHERE account_id = $1",
      [id, new Date(NOON + DAY)],
    );
    await giveCard(books, id, NOON + 1);
    expect(await rowOf(books, id, FEE)).toMatchObject({ nextTryAt: NOON + 1 });
    await books.database.query(
      "UPDATE payment SET status = 'failed', next_try_at = NULL, settled_at = now() WHERE account_id = $1",
      [id],
    );
    await giveCard(books, id, NOON + 2);
    expect(await rowOf(books, id, FEE)).toMatchObject({ nextTryAt: NOON + 2 });
  });

  test.each(["pending", "succeeded"])(
    "that is %s is not affected by a new card",
    async (status) => {
      await openSubscriber(books, id, { at: NOON });
      await books.database.query(
        "UPDATE payment SET status = $2, next_try_at = $3, settled_at = now() WHERE account_id = $1",
        [id, status, new Date(NOON + DAY)],
      );
      await giveCard(books, id, NOON + 1);
      expect(await rowOf(books, id, FEE)).toMatchObject({ status, nextTryAt: NOON + DAY });
    },
  );
});

describe("a payment method that is removed", () => {
  const remove = (now: Instant) =>
    removePaymentMethod(books.database, { accountId: toAccountId(id), now, by: "test" });
  const WITHOUT = declined("no_payment_method");

  test("stops auto top-up, says so once, and another starts it again", async () => {
    await openCardHolder(books, id, NOON - DAY, { credits: 100n * CREDIT });
    expect(await remove(NOON)).toEqual({ kind: "removed" });
    expect(await remove(NOON)).toEqual({ kind: "removed" });
    await use(books, { [id]: 100n }, NOON);
    await look();
    expect(await autoOf(books, id)).toMatchObject({
      ...{ enabled: true, stopped: "There is no payment method; add one to pay.", lookAt: null },
    });
    expect(await toldOf(books, id)).toEqual(["1 stopped payment-method-removal:2"]);
    expect(await askTopUp(books, id, NOON)).toEqual({ kind: "no_payment_method" });
    await giveCard(books, id, NOON + 1);
    await look(NOON + 1);
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 pending 1000"]);
  });

  test("is still that of the charge that the gateway has", async () => {
    await runLow();
    await look();
    const sent = await claimOf(books, id, NOON);
    await remove(NOON);
    const again = await claimOf(books, id, NOON + HOUR);
    expect(again).toMatchObject({ calls: 2, method: sent.method });
    await settlePayment(books.database, again.payment, PAID, NOON + HOUR);
    expect(await paymentsOf(books, id)).toEqual(["low-balance:1 succeeded 1000"]);
  });

  test("leaves the next fee without one: it is declined, and tried again with another", async () => {
    const [september, october] = [Date.UTC(2026, 8, 15, 12), Date.UTC(2026, 9, 1)];
    await openSubscriber(books, id, { at: september });
    await giveCard(books, id, september);
    const first = await claimOf(books, id, september);
    await settlePayment(books.database, first.payment, PAID, september);
    await remove(september + DAY);
    await look(october);
    const due = await claimOf(books, id, october);
    expect(due).toMatchObject({ payment: { paymentId: "fee:1:1" }, method: null });
    await settlePayment(books.database, due.payment, WITHOUT, october);
    expect(await rowOf(books, id, "fee:1:1")).toMatchObject({
      ...{ status: "retrying", nextTryAt: october + DAY },
    });
    await giveCard(books, id, october + HOUR);
    expect(await claimOf(books, id, october + HOUR)).toMatchObject({ method: CARD });
  });
});

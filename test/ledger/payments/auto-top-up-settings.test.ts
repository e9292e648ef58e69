/**
 * Settings of auto top-up, in real Postgres, with the clock passed in and no gateway.
 *
 * - settings affect what comes next, never what is pending
 * - auto top-up ends with the subscription, unless the customer keeps it
 * - consent is the customer's: whoever changed last what is charged
 */
import { describe, expect, test } from "vitest";
import { decideCancel } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideSettings } from "../../../shared/core/changes/change-settings.ts";
import { decideThreshold } from "../../../shared/core/changes/change-threshold.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { TopUpSettings } from "../../../shared/core/payments/auto-top-up.ts";
import { listSettingChanges } from "../../../shared/ledger/books/setting-changes.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { settleAccounts } from "../../../shared/ledger/month/settle-accounts.ts";
import { readAutoTopUpState } from "../../../shared/ledger/payments/auto-top-up-state.ts";
import { setAutoTopUp } from "../../../shared/ledger/payments/set-auto-top-up.ts";
import { setCeilings } from "../../../shared/ledger/payments/set-ceilings.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import {
  autoOf,
  declined,
  giveCard,
  newest,
  openCardHolder,
  PAID,
  paymentsOf,
  toldOf,
} from "../../support/books/card-holders.ts";
import { settlePayment } from "../../support/books/one-payment.ts";
import { payerOfTest, TEN_DOLLARS } from "../../support/books/payer-of-test.ts";
import { use } from "../../support/books/payers.ts";
import { openSubscriber } from "../../support/books/subscribers.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * 60_000;

const payer = payerOfTest();

describe("settings", () => {
  test("when changed, leave a pending top-up unchanged, and apply from the next crossing", async () => {
    await payer.runLow();
    await payer.look();
    const before = await newest(payer.books, payer.id);
    await payer.setAutoTopUp(NOON, { amount: 2_500n, limitPerDay: 2_500n });
    expect(await newest(payer.books, payer.id)).toEqual(before);
    await settlePayment(payer.database, before, PAID, NOON + 1);
    await use(payer.books, { [payer.id]: TEN_DOLLARS }, NOON + DAY);
    await payer.look(NOON + DAY);
    expect(await paymentsOf(payer.books, payer.id)).toEqual([
      "low-balance:1 succeeded 1000",
      "low-balance:2 pending 2500",
    ]);
  });

  test("turned off: a pending top-up still completes, and the next crossing causes none", async () => {
    await payer.runLow();
    await payer.look();
    await payer.setAutoTopUp(NOON, { enabled: false });
    await settlePayment(payer.database, await newest(payer.books, payer.id), PAID, NOON);
    await use(payer.books, { [payer.id]: TEN_DOLLARS }, NOON + 1);
    await payer.look(NOON + 1);
    expect(await paymentsOf(payer.books, payer.id)).toEqual(["low-balance:1 succeeded 1000"]);
  });

  test("are stored as given; those not given are kept", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    await payer.setAutoTopUp(NOON, { amount: 700n, limitPerDay: 1_400n, limitPerMonth: 2_800n });
    await payer.setAutoTopUp(NOON, { enabled: false, limitPerMonth: null });
    expect(await autoOf(payer.books, payer.id)).toMatchObject({
      ...{ enabled: false, amount: 700n, limitPerDay: 1_400n, limitPerMonth: null },
    });
  });

  test("that are refused change nothing", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    const before = await autoOf(payer.books, payer.id);
    expect(await payer.setAutoTopUp(NOON, { amount: 49n })).toMatchObject({
      kind: "below_minimum",
    });
    expect(await autoOf(payer.books, payer.id)).toEqual(before);
  });

  test.each<[string, (now: Instant) => Promise<unknown>]>([
    ["switching it on again", (now) => payer.setAutoTopUp(now, { enabled: true })],
    ["another card", (now) => giveCard(payer.books, payer.id, now)],
  ])("restart a stopped auto top-up: %s", async (_, act) => {
    await payer.runLow();
    await payer.look();
    const outcome = declined("expired");
    await settlePayment(payer.database, await newest(payer.books, payer.id), outcome, NOON);
    expect((await autoOf(payer.books, payer.id)).stopped).toContain("The card has expired.");
    await payer.look(NOON + DAY);
    expect(await paymentsOf(payer.books, payer.id)).toHaveLength(1);
    await act(NOON + DAY);
    expect(await autoOf(payer.books, payer.id)).toMatchObject({ stopped: null, declines: 0 });
    await payer.look(NOON + DAY);
    expect(await paymentsOf(payer.books, payer.id)).toEqual([
      "low-balance:1 failed 1000",
      "low-balance:1:2 pending 1000",
    ]);
  });
});

describe("when the subscription ends", () => {
  const SEPTEMBER_15 = Date.UTC(2026, 8, 15, 12);
  const OCTOBER = Date.UTC(2026, 9, 1);

  /** A subscriber with a card whose subscription was cancelled in September. */
  async function cancelled(): Promise<void> {
    await openSubscriber(payer.books, payer.id, { at: SEPTEMBER_15 });
    await giveCard(payer.books, payer.id, SEPTEMBER_15);
    const change = { accountId: payer.accountId, now: SEPTEMBER_15 + HOUR, by: "test" };
    expect(await changeSubscription(payer.database, change, decideCancel)).toMatchObject({
      kind: "changed",
    });
  }

  function consentAt(now: Instant) {
    const account = { accountId: payer.accountId, timeZone: "UTC" };
    return readAutoTopUpState(payer.database, account, now);
  }

  async function lastSetting() {
    const range = { before: null, limit: 1 };
    const last = await inTransaction(payer.database, (transaction) =>
      listSettingChanges(transaction, payer.accountId, range),
    );
    return last[0];
  }

  const ways = [
    { way: "the scheduler", settle: () => runSchedule() },
    { way: "the check for a top-up", settle: () => payer.look(OCTOBER) },
    { way: "its usage", settle: () => use(payer.books, { [payer.id]: 1n }, OCTOBER) },
  ];
  test.each(ways)("auto top-up ends, by $way, and charges nothing after", async ({ settle }) => {
    await cancelled();
    await use(payer.books, { [payer.id]: 100n }, OCTOBER - 1);
    await settle();
    expect(await autoOf(payer.books, payer.id)).toMatchObject({
      ...{ enabled: false, stopped: expect.stringContaining("ended with the subscription") },
    });
    expect(await lastSetting()).toMatchObject({
      ...{ by: "schedule", settings: { autoTopUp: { enabled: false } } },
    });
    await use(payer.books, { [payer.id]: 10n }, OCTOBER + HOUR);
    await payer.look(OCTOBER + HOUR);
    await giveCard(payer.books, payer.id, OCTOBER + HOUR);
    await payer.look(OCTOBER + 2 * HOUR);
    expect(
      (await paymentsOf(payer.books, payer.id)).filter((one) => !one.startsWith("fee:")),
    ).toEqual([]);
    expect(await toldOf(payer.books, payer.id)).toEqual(["1 stopped subscription-end:3"]);
    expect((await consentAt(OCTOBER)).consent).toBe(null);
  });

  test("the customer can switch it on again, which is consent", async () => {
    await cancelled();
    await use(payer.books, { [payer.id]: 100n }, OCTOBER - 1);
    // The end is settled first: what is asked for comes after it.
    await payer.setAutoTopUp(OCTOBER, { enabled: true });
    expect(await autoOf(payer.books, payer.id)).toMatchObject({ enabled: true, stopped: null });
    expect((await consentAt(OCTOBER)).consent).toEqual({
      ...{ by: "test", at: OCTOBER, byDefault: false },
    });
    await payer.look(OCTOBER);
    expect(await newest(payer.books, payer.id)).toMatchObject({
      status: "pending",
      amount: 1_000n,
    });
  });

  test("it goes on where the customer keeps it, or never subscribed", async () => {
    await cancelled();
    await payer.setAutoTopUp(SEPTEMBER_15 + HOUR, { keepAfterSubscription: true });
    await use(payer.books, { [payer.id]: 100n }, OCTOBER - 1);
    await payer.look(OCTOBER);
    expect(await newest(payer.books, payer.id)).toMatchObject({ paymentId: "low-balance:1" });
    expect(await autoOf(payer.books, payer.id)).toMatchObject({ enabled: true, stopped: null });
  });

  async function runSchedule(): Promise<void> {
    const run = { clock: OCTOBER, completeUntil: null, limit: 100 };
    await settleAccounts(payer.database, run, null);
  }
});

describe("consent is who agreed to be charged, and when", () => {
  const agreed = async (now: Instant) => {
    const account = { accountId: payer.accountId, timeZone: "UTC" };
    return (await readAutoTopUpState(payer.database, account, now)).consent;
  };
  const setBy = (by: string, now: Instant, asked: Partial<TopUpSettings>) =>
    setAutoTopUp(payer.database, { accountId: payer.accountId, now, by }, asked);

  test("by default with the account; then whoever changed what is charged last", async () => {
    await openCardHolder(payer.books, payer.id, NOON - DAY);
    expect(await agreed(NOON)).toEqual({ by: "test", at: NOON - DAY, byDefault: true });
    await setBy("token:payer", NOON, { amount: 2_500n });
    const consent = { by: "token:payer", at: NOON, byDefault: false };
    expect(await agreed(NOON)).toEqual(consent);
    // Neither the seller's ceilings nor another time zone is the customer's agreement.
    const seller = { accountId: payer.accountId, now: NOON + HOUR, by: "key:seller" };
    await setCeilings(payer.database, seller, { perDay: 50_000n });
    await changeSubscription(payer.database, seller, (context) =>
      decideSettings({ timeZone: "Asia/Tokyo" }, context),
    );
    expect(await agreed(NOON + HOUR)).toEqual(consent);
    await setBy("token:payer", NOON + 2 * HOUR, { enabled: false });
    expect(await agreed(NOON + 2 * HOUR)).toBe(null);
    await setBy("key:seller", NOON + 3 * HOUR, { enabled: true });
    expect(await agreed(NOON + 3 * HOUR)).toMatchObject({ by: "key:seller" });
    await changeSubscription(
      payer.database,
      { accountId: payer.accountId, now: NOON + 4 * HOUR, by: "token:payer" },
      (context) => decideThreshold(5n, context),
    );
    expect(await agreed(NOON + 4 * HOUR)).toMatchObject({ by: "token:payer" });
  });
});

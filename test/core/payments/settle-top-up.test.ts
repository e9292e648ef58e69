/**
 * The effects of a top-up's outcome.
 *
 * - paid: one lot at the end of the line, debt repaid in the same step; a pause of auto top-up is over
 * - still low afterwards: published again, as another crossing
 * - declined: auto top-up waits 1 hour, 6 hours, a day, and stops at the fourth in a row; a card that
 *   will never do stops it immediately
 * - one made by hand and declined publishes nothing about auto top-up
 */
import { describe, expect, test } from "vitest";
import type { Account } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import type { LotLife } from "../../../shared/core/offer/catalogue.ts";
import type { Decline } from "../../../shared/core/payments/decline.ts";
import {
  MOST_DECLINES,
  topUpDeclined,
  topUpSucceeded,
} from "../../../shared/core/payments/settle-top-up.ts";
import { accountWith, DAY, lotOf, NOON } from "../../support/core/examples.ts";
import { autoWith, topUpWith } from "../../support/core/top-up-examples.ts";

const HOUR = 60 * 60_000;
const SOFT: Decline = {
  kind: "soft",
  reason: "insufficient_funds",
  code: "insufficient_funds",
};
const NO_FUNDS = "The bank declined the payment: the card does not have enough funds.";
const STOPPED =
  "Auto top-up has stopped until you change the payment method or switch it on again.";

/** Ten dollars bought 1,000 micro-credits. */
const TOLD = { topUpId: "low-balance:3", amount: 1_000n, currency: "USD", credits: 1_000n };

describe("a top-up that is paid", () => {
  test("is a lot at the end of the line, an entry and a published event", () => {
    const old = lotOf("old", 0n, 500n, NOON + 90 * DAY);
    const account = accountWith({ granted: 500n, position: 100n, entries: 1n, crossings: 3n });
    const book = { account, lots: [old], schedule: EMPTY_SCHEDULE };
    const { step, reason, notices } = topUpSucceeded(topUpWith(), autoWith(), book, NOON);
    const ends = Date.UTC(2027, 0, 22, 12);
    const lot = lotOf("top-up:low-balance:3", 500n, 1_500n, ends);
    const granted = {
      ...{ credits: 1_000n, source: "top_up", reference: "10.00 USD", grantedAt: NOON },
    };
    expect(step).toEqual({
      account: {
        ...{ ...account, granted: 1_500n, entries: 2n },
        ...{ nextDueAt: ends, settleAt: ends + 15 * 60_000 },
      },
      lots: [old, lot],
      schedule: EMPTY_SCHEDULE,
      granted: [{ ...lot, ...granted }],
      entries: [
        {
          accountId: "acme",
          sequence: 2n,
          kind: "grant",
          credits: 1_000n,
          granted: 1_500n,
          position: 100n,
          lotId: "top-up:low-balance:3",
          reference: "10.00 USD",
          dueAt: NOON,
        },
      ],
      changes: [],
      fees: [],
      lowBalance: null,
    });
    expect(reason).toBe("");
    expect(notices).toEqual([{ ...TOLD, status: "succeeded", reason: "" }]);
  });

  test.each([
    { amount: 1_000n, currency: "USD", reference: "10.00 USD" },
    { amount: 1_000n, currency: "JPY", reference: "1000 JPY" },
    { amount: 10_000n, currency: "KWD", reference: "10.000 KWD" },
    { amount: 5n, currency: "USD", reference: "0.05 USD" },
  ])("of $amount of $currency has the reference $reference", ({ amount, currency, reference }) => {
    expect(paid({ amount, currency }).entry.reference).toBe(reference);
  });

  test.each<{ life: LotLife; zone: string; ends: number | null }>([
    { life: { kind: "usual" }, zone: "UTC", ends: Date.UTC(2027, 0, 22, 12) },
    { life: { kind: "months", months: 12 }, zone: "UTC", ends: Date.UTC(2027, 10, 22, 12) },
    { life: { kind: "never" }, zone: "UTC", ends: null },
    // Summer time in Santiago now, but not at the end: the local time stays.
    {
      life: { kind: "months", months: 6 },
      zone: "America/Santiago",
      ends: Date.UTC(2027, 4, 22, 13),
    },
  ])("has the life of its price when it was requested: $life.kind, in $zone", (row) => {
    const { lot, account } = paid({ life: row.life }, accountWith({ timeZone: row.zone }));
    expect(lot.expiresAt).toBe(row.ends);
    expect(account.nextDueAt).toBe(row.ends);
  });

  test("by hand is a lot with its own id", () => {
    expect(paid({ paymentId: "manual:order 7" }).lot.lotId).toBe("top-up:manual:order 7");
  });

  test.each([
    { what: "repays debt in part", position: 1_500n, balance: -500n },
    { what: "repays all of it", position: 1_000n, balance: 0n },
    { what: "repays it and leaves the rest", position: 400n, balance: 600n },
    { what: "adds to what there is", position: 0n, balance: 1_000n },
  ])("$what", ({ position, balance }) => {
    const { account } = paid({}, accountWith({ position }));
    expect([account.position, account.granted - account.position]).toEqual([position, balance]);
  });

  test.each([
    { left: 1n, low: false },
    { left: 0n, low: true },
    { left: -1n, low: true },
  ])("leaves the balance at $left with a threshold of 0: low again is $low", ({ left, low }) => {
    const before = { position: 1_000n - left, lowBalance: true, crossings: 3n, entries: 4n };
    const { account, lowBalance } = paid({}, accountWith(before));
    expect([account.lowBalance, account.crossings]).toEqual(low ? [true, 4n] : [false, 3n]);
    const said = {
      ...{ accountId: "acme", crossing: 4n, balance: left, threshold: 0n },
      ...{ cause: "entry:5", occurredAt: NOON, needed: true },
    };
    expect(lowBalance).toEqual(low ? said : null);
  });

  test("ends a pause of auto top-up, but not a stop, which the customer must resolve", () => {
    const halted = { declines: 3, pausedUntil: NOON + DAY, stopped: "No.", lookAt: NOON };
    const set = { amount: 700n, limitPerDay: 800n, limitPerMonth: 900n, published: 6n };
    const expected = { declines: 0, pausedUntil: null, stopped: "No.", lookAt: null };
    for (const paymentId of ["low-balance:3", "manual:order 7"]) {
      const topUp = topUpWith({ paymentId });
      const { auto } = topUpSucceeded(topUp, autoWith({ ...halted, ...set }), bookOf(), NOON);
      expect(auto).toEqual(autoWith({ ...expected, ...set }));
    }
    const off = topUpSucceeded(topUpWith(), autoWith({ enabled: false }), bookOf(), NOON);
    expect(off.auto.enabled).toBe(false);
  });

  test.each([
    { debt: 999n, lookAt: null, what: "lifts the account: it is not looked at again" },
    { debt: 1_000n, lookAt: NOON, what: "leaves it low: it is looked at once more" },
  ])("that $what", ({ debt, lookAt }) => {
    const inDebt = bookOf(accountWith({ granted: 0n, position: debt, lowBalance: true }));
    expect(topUpSucceeded(topUpWith(), autoWith(), inDebt, NOON).auto.lookAt).toBe(lookAt);
  });

  test("fills the line to its end, and not beyond", () => {
    const full = accountWith({ granted: MAX_BIGINT - 1_000n, position: MAX_BIGINT - 1_000n });
    expect(paid({}, full).account.granted).toBe(MAX_BIGINT);
    const fuller = bookOf({ ...full, granted: MAX_BIGINT - 999n });
    expect(() => topUpSucceeded(topUpWith(), autoWith(), fuller, NOON)).toThrow(
      "account acme has no room for 1000 micro-credits",
    );
  });
});

describe("an automatic top-up that is declined", () => {
  test.each([
    { before: 0, wait: 1 * HOUR, at: "2026-11-22T13:00:00.000Z" },
    { before: 1, wait: 6 * HOUR, at: "2026-11-22T18:00:00.000Z" },
    { before: 2, wait: 24 * HOUR, at: "2026-11-23T12:00:00.000Z" },
  ])("after $before others in a row pauses auto top-up until $at", ({ before, wait, at }) => {
    const auto = autoWith({ declines: before, pausedUntil: NOON - 1, lookAt: null, published: 5n });
    expect(topUpDeclined(topUpWith(), auto, SOFT, NOON)).toEqual({
      step: null,
      reason: NO_FUNDS,
      auto: { ...auto, declines: before + 1, pausedUntil: NOON + wait, lookAt: NOON + wait },
      notices: [
        { ...TOLD, status: "failed", reason: NO_FUNDS },
        { ...TOLD, status: "paused", reason: `${NO_FUNDS} The next try is at ${at}.` },
      ],
    });
  });

  test("for the fourth time in a row stops auto top-up", () => {
    expect(MOST_DECLINES).toBe(4);
    const auto = autoWith({ declines: 3, pausedUntil: NOON - 1 });
    const stopped = `${NO_FUNDS} ${STOPPED}`;
    expect(topUpDeclined(topUpWith(), auto, SOFT, NOON)).toEqual({
      step: null,
      reason: NO_FUNDS,
      auto: { ...auto, declines: 4, pausedUntil: null, stopped, lookAt: null },
      notices: [
        { ...TOLD, status: "failed", reason: NO_FUNDS },
        { ...TOLD, status: "stopped", reason: stopped },
      ],
    });
  });

  test.each<{ decline: Decline; reason: string }>([
    {
      decline: { kind: "hard", reason: "expired", code: "expired_card" },
      reason: "The card has expired.",
    },
    {
      decline: { kind: "hard", reason: null, code: "stolen_card" },
      reason: "The payment was declined: another card is needed.",
    },
    {
      decline: { kind: "needs_customer", reason: null, code: "authentication_required" },
      reason: "The bank asks you to approve the payment yourself.",
    },
  ])("as $decline.kind stops it immediately: $reason", ({ decline, reason }) => {
    const { auto, notices, step, ...told } = topUpDeclined(topUpWith(), autoWith(), decline, NOON);
    expect([step, told.reason]).toEqual([null, reason]);
    expect(auto).toEqual(autoWith({ declines: 1, stopped: `${reason} ${STOPPED}` }));
    expect(notices.map(({ status, reason: why }) => [status, why])).toEqual([
      ["failed", reason],
      ["stopped", `${reason} ${STOPPED}`],
    ]);
  });

  test("for a simulated week is tried four times and no more", () => {
    let auto = autoWith();
    const tried: number[] = [];
    for (let now = NOON; now < NOON + 7 * DAY; now += 10 * 60_000) {
      const waits = auto.stopped !== null || (auto.pausedUntil !== null && auto.pausedUntil > now);
      if (waits) continue;
      tried.push((now - NOON) / HOUR);
      auto = topUpDeclined(topUpWith(), auto, SOFT, now).auto;
    }
    expect(tried).toEqual([0, 1, 7, 31]);
  });
});

describe("a top-up by hand that is declined", () => {
  test.each<Decline>([SOFT, { kind: "hard", reason: "expired", code: "expired_card" }])(
    "as $kind fails, and leaves auto top-up unchanged; the account is checked, as it may have waited",
    (decline) => {
      const auto = autoWith({ declines: 2, pausedUntil: NOON + DAY, lookAt: null });
      const topUp = topUpWith({ paymentId: "manual:order 7" });
      const { notices, ...outcome } = topUpDeclined(topUp, auto, decline, NOON);
      expect(outcome).toMatchObject({ step: null, auto: { ...auto, lookAt: NOON } });
      const { reason } = outcome;
      expect(notices).toEqual([{ ...TOLD, topUpId: "manual:order 7", status: "failed", reason }]);
    },
  );
});

function bookOf(account: Account = accountWith()) {
  return { account, lots: [], schedule: EMPTY_SCHEDULE };
}

/** The third crossing's top-up, paid at noon, with overrides. */
function paid(given: Parameters<typeof topUpWith>[0], account = accountWith()) {
  const { step } = topUpSucceeded(topUpWith(given), autoWith(), bookOf(account), NOON);
  const [lot, entry] = [step?.granted[0], step?.entries[0]];
  if (step === null || lot === undefined || entry === undefined) throw new Error("no lot");
  return { ...step, lot, entry };
}

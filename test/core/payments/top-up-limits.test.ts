/**
 * - top-ups in one day, and in one month, of the account's zone are limited: fewer multiples, and where
 *   none is left, none until the day or the month is over
 * - of two limits, the one that leaves less is published and waited for
 * - a payment that may have been charged counts, a declined one does not
 * - in any case: never more than the limits, and never low after a success unless they cut it
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Account, Instant } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import { decideAutoTopUp } from "../../../shared/core/payments/decide-top-up.ts";
import type { NewTopUp } from "../../../shared/core/payments/payment.ts";
import { topUpDeclined, topUpSucceeded } from "../../../shared/core/payments/settle-top-up.ts";
import { accountWith, DAY, NOON } from "../../support/core/examples.ts";
import {
  autoWith,
  contextWith,
  lowAccount,
  priceOf,
  selling,
  topUpWith,
} from "../../support/core/top-up-examples.ts";

describe("the default limits are 10 amounts a day and 50 a month", () => {
  test.each([
    { set: {}, currency: "USD", is: { amount: 1_000n, perDay: 10_000n, perMonth: 50_000n } },
    { set: {}, currency: "KWD", is: { amount: 10_000n, perDay: 100_000n, perMonth: 500_000n } },
    { set: { amount: 60n }, currency: "USD", is: { amount: 60n, perDay: 600n, perMonth: 3_000n } },
    {
      set: { amount: 60n, limitPerDay: 61n, limitPerMonth: 62n },
      currency: "USD",
      is: { amount: 60n, perDay: 61n, perMonth: 62n },
    },
    {
      set: { limitPerDay: 1_500n },
      currency: "USD",
      is: { amount: 1_000n, perDay: 1_500n, perMonth: 50_000n },
    },
  ])("$set in $currency: $is", ({ set, currency, is }) => {
    expect(
      amountsOf(autoWith(set), { currency, minimumCharge: 50n, defaultCeilings: null }),
    ).toEqual(is);
  });
});

describe("ten dollars at a time, ten times needed", () => {
  // What the limits leave in dollars, of 100 a day and 500 a month.
  test.each([
    { today: 0n, thisMonth: 0n, charged: 100n },
    { today: 10n, thisMonth: 10n, charged: 90n },
    { today: 85n, thisMonth: 85n, charged: 10n },
    { today: 90n, thisMonth: 90n, charged: 10n },
    { today: 0n, thisMonth: 430n, charged: 70n },
    { today: 0n, thisMonth: 489n, charged: 10n },
    { today: 60n, thisMonth: 470n, charged: 30n },
    { today: 80n, thisMonth: 470n, charged: 20n },
    { today: 91n, thisMonth: 91n, charged: null },
    { today: 0n, thisMonth: 491n, charged: null },
    // The limit was lowered meanwhile.
    { today: 300n, thisMonth: 300n, charged: null },
    { today: 0n, thisMonth: 900n, charged: null },
  ])("$today charged today and $thisMonth this month: $charged", (row) => {
    const spent = { today: row.today * 100n, thisMonth: row.thisMonth * 100n };
    const { topUp } = decideAutoTopUp(0, contextWith({ account: lowAccount(-9_999n), spent }));
    expect(topUp === null ? null : topUp.amount / 100n).toBe(row.charged);
  });
});

describe("where a limit leaves less than one amount, auto top-up pauses until the limit resets", () => {
  test("and publishes once which limit it is", () => {
    const spent = { today: 9_001n, thisMonth: 9_001n };
    const until = Date.UTC(2026, 10, 23);
    expect(decideAutoTopUp(1, contextWith({ spent }))).toEqual({
      auto: autoWith({ pausedUntil: until, lookAt: until }),
      topUp: null,
      notices: [
        {
          topUpId: "low-balance:3:2",
          status: "paused",
          amount: 1_000n,
          currency: "USD",
          credits: 0n,
          reason: "The limit for top-ups today is reached.",
        },
      ],
    });
  });

  const day = { today: 10_000n, thisMonth: 10_000n };
  const month = { today: 0n, thisMonth: 50_000n };
  test.each([
    { zone: "UTC", now: "2026-11-22T12:00Z", spent: day, until: "2026-11-23T00:00Z" },
    { zone: "UTC", now: "2026-11-22T00:00Z", spent: day, until: "2026-11-23T00:00Z" },
    { zone: "UTC", now: "2026-11-22T23:59:59.999Z", spent: day, until: "2026-11-23T00:00Z" },
    { zone: "UTC", now: "2026-11-22T12:00Z", spent: month, until: "2026-12-01T00:00Z" },
    { zone: "UTC", now: "2026-12-31T23:00Z", spent: month, until: "2027-01-01T00:00Z" },
    // Ahead of UTC it is already tomorrow, behind it still yesterday.
    {
      zone: "Pacific/Auckland",
      now: "2026-11-22T12:00Z",
      spent: day,
      until: "2026-11-24T00:00+13:00",
    },
    {
      zone: "Pacific/Kiritimati",
      now: "2026-11-30T10:00Z",
      spent: month,
      until: "2027-01-01T00:00+14:00",
    },
    {
      zone: "America/Los_Angeles",
      now: "2026-11-22T03:00Z",
      spent: day,
      until: "2026-11-22T00:00-08:00",
    },
    {
      zone: "Pacific/Pago_Pago",
      now: "2026-12-01T10:59Z",
      spent: month,
      until: "2026-12-01T00:00-11:00",
    },
    {
      zone: "Asia/Kathmandu",
      now: "2026-11-22T18:14Z",
      spent: day,
      until: "2026-11-23T00:00+05:45",
    },
    // Days of 23 and of 25 hours.
    {
      zone: "Europe/Berlin",
      now: "2026-03-29T01:30+01:00",
      spent: day,
      until: "2026-03-30T00:00+02:00",
    },
    {
      zone: "Europe/Berlin",
      now: "2026-10-25T02:30+02:00",
      spent: day,
      until: "2026-10-26T00:00+01:00",
    },
    // A day that begins at one o'clock, and one with its first hour twice.
    {
      zone: "Africa/Cairo",
      now: "2026-04-23T20:00+02:00",
      spent: day,
      until: "2026-04-24T01:00+03:00",
    },
    {
      zone: "America/Havana",
      now: "2026-10-31T20:00-04:00",
      spent: month,
      until: "2026-11-01T00:00-04:00",
    },
    {
      zone: "America/Havana",
      now: "2026-11-01T00:30-05:00",
      spent: day,
      until: "2026-11-02T00:00-05:00",
    },
  ])("$zone at $now: until $until", ({ zone, now, spent, until }) => {
    const account = { ...lowAccount(0n), timeZone: zone };
    const { auto } = decideAutoTopUp(0, contextWith({ account, spent, now: Date.parse(now) }));
    expect(iso(auto.pausedUntil)).toBe(iso(Date.parse(until)));
    expect(auto.lookAt).toBe(auto.pausedUntil);
  });

  test.each([
    { today: 9_500n, thisMonth: 49_000n, until: "day" },
    { today: 9_001n, thisMonth: 49_002n, until: "month" },
    // Both leave the same: tomorrow the month would leave no more.
    { today: 9_500n, thisMonth: 49_500n, until: "month" },
    { today: 10_000n, thisMonth: 50_000n, until: "month" },
  ])("$today of 10,000 today and $thisMonth of 50,000: waits for the $until", (row) => {
    const { today, thisMonth } = row;
    const { auto, notices } = decideAutoTopUp(0, contextWith({ spent: { today, thisMonth } }));
    const at = row.until === "day" ? Date.UTC(2026, 10, 23) : Date.UTC(2026, 11, 1);
    expect(auto.pausedUntil).toBe(at);
    expect(notices[0]?.reason).toContain(row.until === "day" ? "today" : "this month");
  });
});

describe("for any usage, and any outcome of payments", () => {
  const step = fc.record({
    /** Minutes before this step. */
    after: fc.oneof(fc.nat(120), fc.nat(3_000)),
    uses: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 9_000n)),
    outcome: fc.constantFrom("succeeds", "succeeds", "succeeds", "stays pending", "is declined"),
  } as const);
  const zones = fc.constantFrom("UTC", "America/Havana", "Pacific/Auckland", "Asia/Kathmandu");
  const limits = fc.record({
    amount: fc.bigInt(50n, 500n),
    timesADay: fc.bigInt(1n, 12n),
    timesAMonth: fc.bigInt(1n, 40n),
    price: fc.bigInt(1n, 400n),
    threshold: fc.bigInt(-500n, 500n),
  });

  test("no day or month is charged more than its limit, and a success lifts the balance unless the limit cut it", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        zones,
        limits,
        (steps, zone, set) => {
          const play = playing(zone, set);
          for (const { after, uses, outcome } of steps) {
            play.wait(after * 60_000);
            play.use(uses);
            play.look(outcome);
            expect(play.mostOf("day")).toBeLessThanOrEqual(set.amount * set.timesADay);
            expect(play.mostOf("month")).toBeLessThanOrEqual(set.amount * set.timesAMonth);
            expect(play.lowAfterSuccess()).toEqual([]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface LimitsSet {
  readonly amount: bigint;
  readonly timesADay: bigint;
  readonly timesAMonth: bigint;
  readonly price: bigint;
  readonly threshold: bigint;
}

/** An account that is used and checked; days and months are told apart by its wall clock. */
function playing(
  timeZone: string,
  { amount, timesADay, timesAMonth, price, threshold }: LimitsSet,
) {
  let account: Account = accountWith({ timeZone, threshold, granted: 1_000n });
  let auto = autoWith({
    amount,
    limitPerDay: amount * timesADay,
    limitPerMonth: amount * timesAMonth,
  });
  let now: Instant = NOON - 25 * DAY;
  let inFlight: NewTopUp | null = null;
  let tries = 0;
  const catalogue = selling([priceOf("USD", price)]);
  const charged: { day: string; month: string; amount: bigint }[] = [];
  const stillLow: string[] = [];

  const spentOn = (key: "day" | "month", of: string) =>
    charged.filter((one) => one[key] === of).reduce((sum, one) => sum + one.amount, 0n);
  const today = () => wall(now, timeZone);

  function settle(topUp: NewTopUp, wasCut: boolean): void {
    const book = { account, lots: [], schedule: EMPTY_SCHEDULE };
    const { step, auto: after } = topUpSucceeded(topUpWith(topUp), auto, book, now);
    account = step?.account ?? account;
    auto = after;
    tries = 0;
    if (balanceOf(account) <= threshold && !wasCut) stillLow.push(topUp.paymentId);
  }

  return {
    wait(ms: number): void {
      now += ms;
    },
    use(credits: bigint): void {
      account = { ...account, position: account.position + credits };
      if (credits > 0n && !account.lowBalance && balanceOf(account) <= threshold) {
        account = { ...account, lowBalance: true, crossings: account.crossings + 1n };
      }
    },
    look(outcome: "succeeds" | "stays pending" | "is declined"): void {
      if (inFlight !== null) {
        settle(inFlight, true);
        inFlight = null;
      }
      const [day, month] = [today(), today().slice(0, 7)];
      const spent = { today: spentOn("day", day), thisMonth: spentOn("month", month) };
      const decision = decideAutoTopUp(
        tries,
        contextWith({ account, auto, catalogue, spent, now, inFlight: false }),
      );
      auto = decision.auto;
      const { topUp } = decision;
      if (topUp === null) return;
      if (outcome === "is declined") {
        tries += 1;
        auto = topUpDeclined(
          topUpWith(topUp),
          auto,
          { kind: "soft", reason: null, code: "" },
          now,
        ).auto;
        return;
      }
      charged.push({ day, month, amount: topUp.amount });
      if (outcome === "stays pending") inFlight = topUp;
      else settle(topUp, topUp.amount + amount > leftOf(spent));
    },
    mostOf: (key: "day" | "month") =>
      charged.reduce((most, one) => {
        const sum = spentOn(key, one[key]);
        return sum > most ? sum : most;
      }, 0n),
    lowAfterSuccess: () => stillLow,
  };

  function leftOf(spent: { today: bigint; thisMonth: bigint }): bigint {
    const day = amount * timesADay - spent.today;
    const month = amount * timesAMonth - spent.thisMonth;
    return day < month ? day : month;
  }
}

const calendars = new Map<string, Intl.DateTimeFormat>();

/** The date in a zone's calendar. */
function wall(instant: Instant, timeZone: string): string {
  const known = calendars.get(timeZone);
  if (known !== undefined) return known.format(instant);
  calendars.set(timeZone, new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }));
  return wall(instant, timeZone);
}

function iso(instant: Instant | null): string {
  return instant === null ? "never" : new Date(instant).toISOString();
}

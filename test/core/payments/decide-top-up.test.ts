/**
 * An automatic top-up, given an account and what was charged before.
 *
 * - an account that was published as low and still is gets one top-up: the set amount, or as many whole
 *   multiples of it in one payment as bring the balance above the threshold
 * - none while auto top-up is off, stopped or paused, or while a top-up is pending
 * - its identity is the crossing and the number of the try; checking again changes nothing
 * - what cannot be charged now pauses it until it can, and what only the customer can fix stops it; each
 *   publishes its reason once
 *
 * Daily and monthly limits are tested in top-up-limits.test.ts.
 */
import { describe, expect, test } from "vitest";
import type { Account } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import type { AutoTopUp } from "../../../shared/core/payments/auto-top-up.ts";
import { MOST_CHARGED } from "../../../shared/core/payments/charge-limits.ts";
import {
  decideAutoTopUp,
  needsCredits,
  type TopUpContext,
} from "../../../shared/core/payments/decide-top-up.ts";
import { accountWith, DAY, NOON } from "../../support/core/examples.ts";
import {
  autoWith,
  contextWith,
  lowAccount,
  priceOf,
  selling,
} from "../../support/core/top-up-examples.ts";

const HOUR = 60 * 60_000;

const NEED = "The balance was 0 credits; auto top-up buys more at 0 or less.";

describe("an account that is low", () => {
  test("is topped up by ten dollars, and the top-up is published", () => {
    expect(decideAutoTopUp(0, contextWith())).toEqual({
      auto: autoWith(),
      topUp: {
        paymentId: "low-balance:3",
        amount: 1_000n,
        currency: "USD",
        credits: 1_000n,
        life: { kind: "usual" },
        reason: NEED,
      },
      notices: [
        {
          topUpId: "low-balance:3",
          status: "pending",
          amount: 1_000n,
          currency: "USD",
          credits: 1_000n,
          reason: NEED,
        },
      ],
    });
  });

  test.each([
    { currency: "USD", amount: 1_000n, credits: 1_000n },
    { currency: "JPY", amount: 1_000n, credits: 1_000n },
    { currency: "KWD", amount: 10_000n, credits: 10_000n },
  ])("in $currency by $amount of its minor unit", ({ currency, amount, credits }) => {
    expect(topUpOf(contextWith({ currency }))).toMatchObject({ amount, currency, credits });
  });

  test.each([
    { what: "at the threshold", balance: 0n, threshold: 0n, amount: null, times: 1n },
    {
      what: "in debt, but less than an amount",
      balance: -999n,
      threshold: 0n,
      amount: null,
      times: 1n,
    },
    {
      what: "in debt by an amount: once would only reach it",
      balance: -1_000n,
      threshold: 0n,
      amount: null,
      times: 2n,
    },
    {
      what: "far in debt: one payment, not many",
      balance: -5_500n,
      threshold: 0n,
      amount: null,
      times: 6n,
    },
    { what: "at a threshold above 0", balance: 700n, threshold: 700n, amount: null, times: 1n },
    {
      what: "by an amount below a threshold above 0",
      balance: 300n,
      threshold: 700n,
      amount: 400n,
      times: 2n,
    },
    {
      what: "above a threshold below 0 by nothing",
      balance: -50n,
      threshold: -50n,
      amount: null,
      times: 1n,
    },
    { what: "with an amount of its own", balance: -120n, threshold: 0n, amount: 60n, times: 3n },
  ])("$what: $balance at $threshold, by $times times", ({ balance, threshold, amount, times }) => {
    const account = lowAccount(balance, threshold);
    const charged = topUpOf(contextWith({ account, auto: autoWith({ amount }) })).amount;
    expect(charged).toBe(times * (amount ?? 1_000n));
  });

  test("at the current price, with that price's lot life", () => {
    const later = { ...priceOf("USD", 200n, NOON), life: { kind: "months", months: 12 } } as const;
    const catalogue = selling([priceOf("USD", 100n), later]);
    expect(topUpOf(contextWith({ catalogue, now: NOON - 1 }))).toMatchObject({
      credits: 1_000n,
      life: { kind: "usual" },
    });
    expect(topUpOf(contextWith({ catalogue }))).toMatchObject({
      credits: 2_000n,
      life: { kind: "months", months: 12 },
    });
  });

  test("with credits rounded up in its favour, and enough multiples to lift the balance", () => {
    const catalogue = selling([priceOf("USD", 333n)]);
    const auto = autoWith({ amount: 50n });
    // 50 cents buy 166.5, 100 buy 333.
    const at = (balance: bigint) => {
      const { amount, credits } = topUpOf(
        contextWith({ catalogue, auto, account: lowAccount(balance) }),
      );
      return [amount, credits];
    };
    expect(at(-166n)).toEqual([50n, 167n]);
    expect(at(-167n)).toEqual([100n, 333n]);
    expect(at(-332n)).toEqual([100n, 333n]);
    expect(at(-333n)).toEqual([150n, 500n]);
  });

  test("never by more than one payment may be, in whole amounts", () => {
    const account = lowAccount(-3n * MOST_CHARGED);
    const auto = autoWith({
      amount: 60_000_000n,
      limitPerDay: 10n ** 12n,
      limitPerMonth: 10n ** 12n,
      ceilings: { amount: 10n ** 12n, perDay: 10n ** 12n, perMonth: 10n ** 12n },
    });
    expect(topUpOf(contextWith({ account, auto })).amount).toBe(60_000_000n);
    const smaller = { ...auto, amount: 7_000n };
    expect(topUpOf(contextWith({ account, auto: smaller })).amount).toBe(99_995_000n);
  });
});

describe("nothing is charged", () => {
  const stops = { stopped: "The card has expired." };
  test.each<{ when: string; given: Partial<TopUpContext> }>([
    { when: "the balance is above the threshold by now", given: { account: lowAccount(1n) } },
    { when: "the account was not said to be low", given: { account: notSaid() } },
    {
      when: "nothing needs credits since they expired",
      given: { account: { ...lowAccount(0n), waitingCrossing: 3n } },
    },
    { when: "auto top-up is off", given: { auto: autoWith({ enabled: false }) } },
    { when: "auto top-up is stopped", given: { auto: autoWith(stops) } },
    { when: "a top-up is pending", given: { inFlight: true } },
    {
      when: "a top-up is pending, whatever else there is to say",
      given: { inFlight: true, hasMethod: false, catalogue: EMPTY_CATALOGUE },
    },
    {
      when: "auto top-up is off, whatever else there is to say",
      given: { auto: autoWith({ enabled: false, ...stops }), hasMethod: false },
    },
  ])("where $when; nothing is published, and it is not checked again", ({ given }) => {
    const context = contextWith(given);
    const waiting = { ...context, auto: { ...context.auto, lookAt: NOON } };
    expect(decideAutoTopUp(0, waiting)).toEqual({
      auto: { ...context.auto, lookAt: null },
      topUp: null,
      notices: [],
    });
  });

  test("before a pause is over; at its end the account is checked, and then charged", () => {
    const auto = autoWith({ declines: 1, pausedUntil: NOON, lookAt: NOON - DAY });
    const before = decideAutoTopUp(1, contextWith({ auto, now: NOON - 1 }));
    expect(before).toEqual({ auto: { ...auto, lookAt: NOON }, topUp: null, notices: [] });
    const after = decideAutoTopUp(1, contextWith({ auto: before.auto, now: NOON }));
    expect(after.topUp?.paymentId).toBe("low-balance:3:2");
    // Declines in a row are counted until a payment succeeds.
    expect(after.auto).toEqual({ ...auto, pausedUntil: null, lookAt: null });
  });

  test("while an account that is not low is paused, and the pause is kept", () => {
    const auto = autoWith({ pausedUntil: NOON + DAY, lookAt: NOON });
    const decision = decideAutoTopUp(0, contextWith({ auto, account: lowAccount(1n) }));
    expect(decision.auto).toEqual({ ...auto, lookAt: null });
  });
});

describe("auto top-up stops until the customer acts", () => {
  test("where there is no payment method, and publishes the reason", () => {
    const reason = "There is no payment method; add one to pay.";
    expect(decideAutoTopUp(0, contextWith({ hasMethod: false }))).toEqual({
      auto: autoWith({ stopped: reason }),
      topUp: null,
      notices: [notice("stopped", reason)],
    });
  });
});

describe("auto top-up pauses for an hour where operators must fix something", () => {
  const hour = { pausedUntil: NOON + HOUR, lookAt: NOON + HOUR };

  test.each([
    { when: "credits have no price in the currency", prices: [priceOf("EUR", 100n)] },
    { when: "they have none yet", prices: [priceOf("USD", 100n, NOON + 1)] },
  ])("$when", ({ prices }) => {
    expect(decideAutoTopUp(0, contextWith({ catalogue: selling(prices) }))).toEqual({
      auto: autoWith(hour),
      topUp: null,
      notices: [notice("paused", "Credits cannot be bought in USD at the moment.")],
    });
  });

  test("the line cannot hold the credits, to the last micro-credit", () => {
    const at = (granted: bigint) =>
      contextWith({ account: { ...lowAccount(0n), granted, position: granted } });
    expect(decideAutoTopUp(0, at(MAX_BIGINT - 999n))).toEqual({
      auto: autoWith(hour),
      topUp: null,
      notices: [notice("paused", "The account cannot hold that many credits.")],
    });
    expect(topUpOf(at(MAX_BIGINT - 1_000n)).credits).toBe(1_000n);
  });
});

describe("a top-up's identity is the crossing and the number of the try", () => {
  test.each([
    { crossings: 1n, declined: 0, is: "low-balance:1" },
    { crossings: 3n, declined: 0, is: "low-balance:3" },
    { crossings: 3n, declined: 1, is: "low-balance:3:2" },
    { crossings: 3n, declined: 3, is: "low-balance:3:4" },
    { crossings: 33n, declined: 0, is: "low-balance:33" },
  ])("crossing $crossings, $declined declined: $is", ({ crossings, declined, is }) => {
    const context = contextWith({ account: { ...lowAccount(0n), crossings } });
    const { topUp, notices } = decideAutoTopUp(declined, context);
    expect([topUp?.paymentId, notices[0]?.topUpId]).toEqual([is, is]);
  });

  test("so two concurrent checks request the same one, and a later check none", () => {
    const context = contextWith();
    const first = decideAutoTopUp(0, context);
    expect(decideAutoTopUp(0, context)).toEqual(first);
    const after = { ...context, auto: first.auto, inFlight: true };
    expect(decideAutoTopUp(0, after)).toEqual({ auto: first.auto, topUp: null, notices: [] });
  });
});

describe("checking again changes nothing and publishes nothing more", () => {
  test.each<{ after: string; given: Partial<TopUpContext> }>([
    { after: "a pause for want of a price", given: { catalogue: EMPTY_CATALOGUE } },
    { after: "a stop for want of a card", given: { hasMethod: false } },
    { after: "a pause by the day's limit", given: { spent: { today: 9_999n, thisMonth: 9_999n } } },
  ])("after $after", ({ given }) => {
    const context = contextWith(given);
    const { auto } = decideAutoTopUp(0, context);
    for (const later of [0, 1, HOUR - 1]) {
      const again = decideAutoTopUp(0, { ...context, auto, now: NOON + later });
      expect(again).toEqual({ auto, topUp: null, notices: [] });
    }
  });
});

describe("an account needs credits", () => {
  test.each<{ needs: boolean; account: Account }>([
    { needs: true, account: lowAccount(0n) },
    { needs: true, account: lowAccount(-5n) },
    { needs: true, account: lowAccount(10n, 10n) },
    { needs: false, account: lowAccount(11n, 10n) },
    { needs: false, account: { ...lowAccount(0n), waitingCrossing: 3n } },
    { needs: true, account: { ...lowAccount(0n), waitingCrossing: 2n } },
    { needs: false, account: notSaid() },
  ])(
    "$needs: $account.position of $account.granted drawn, threshold $account.threshold, waiting after $account.waitingCrossing",
    ({ needs, account }) => {
      expect(needsCredits(account)).toBe(needs);
    },
  );
});

/** New, or with a threshold that was never crossed. */
function notSaid(): Account {
  return accountWith({ granted: 10n, position: 10n });
}

function topUpOf(context: TopUpContext) {
  const { topUp, notices } = decideAutoTopUp(0, context);
  if (topUp === null) throw new Error(`nothing is charged: ${notices[0]?.reason}`);
  return topUp;
}

function notice(status: "paused" | "stopped", reason: string, auto: Partial<AutoTopUp> = {}) {
  const amount = auto.amount ?? 1_000n;
  return { topUpId: "low-balance:3", status, amount, currency: "USD", credits: 0n, reason };
}

/**
 * A refund of a top-up takes its credits along.
 *
 * - the same share of the lot as of the payment, rounded down in the customer's favour
 * - unspent credits are withdrawn from the lot, spent ones are drawn from the line (debt where it has no
 *   others); expired ones are not owed
 * - many small refunds never take more than one full refund
 * - the line stays a line: lots tile it, and drawing moves only the position
 *
 * reversal-histories.test.ts compares any history with a naive account.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { reverseTopUp } from "../../../shared/core/payments/reverse-top-up.ts";
import { accountWith, NOON } from "../../support/core/examples.ts";
import { topUpWith } from "../../support/core/top-up-examples.ts";
import { playReversals } from "./reversals-in-play.ts";

describe("a refund of ten dollars that bought 100 credits, between 50 older and 30 newer ones", () => {
  test.each([
    // None of it was used: it is cut out, and the lots behind it move up.
    {
      used: 0n,
      money: 1_000n,
      is: { withdrawn: 100n, owed: 0n, balance: 80n, left: [50n, 0n, 30n] },
    },
    {
      used: 50n,
      money: 1_000n,
      is: { withdrawn: 100n, owed: 0n, balance: 30n, left: [0n, 0n, 30n] },
    },
    {
      used: 0n,
      money: 500n,
      is: { withdrawn: 50n, owed: 0n, balance: 130n, left: [50n, 50n, 30n] },
    },
    // Used in part: the remainder goes, the rest is drawn from newer lots.
    {
      used: 90n,
      money: 1_000n,
      is: { withdrawn: 60n, owed: 40n, balance: -10n, left: [0n, 0n, 0n] },
    },
    {
      used: 70n,
      money: 1_000n,
      is: { withdrawn: 80n, owed: 20n, balance: 10n, left: [0n, 0n, 10n] },
    },
    { used: 90n, money: 600n, is: { withdrawn: 60n, owed: 0n, balance: 30n, left: [0n, 0n, 30n] } },
    { used: 90n, money: 610n, is: { withdrawn: 60n, owed: 1n, balance: 29n, left: [0n, 0n, 29n] } },
    // Used up: drawn from newer lots, then debt.
    {
      used: 150n,
      money: 1_000n,
      is: { withdrawn: 0n, owed: 100n, balance: -70n, left: [0n, 0n, 0n] },
    },
    { used: 150n, money: 300n, is: { withdrawn: 0n, owed: 30n, balance: 0n, left: [0n, 0n, 0n] } },
    {
      used: 200n,
      money: 1_000n,
      is: { withdrawn: 0n, owed: 100n, balance: -120n, left: [0n, 0n, 0n] },
    },
    // A share is rounded down.
    { used: 0n, money: 9n, is: { withdrawn: 0n, owed: 0n, balance: 180n, left: [50n, 100n, 30n] } },
    { used: 0n, money: 19n, is: { withdrawn: 1n, owed: 0n, balance: 179n, left: [50n, 99n, 30n] } },
    { used: 0n, money: 999n, is: { withdrawn: 99n, owed: 0n, balance: 81n, left: [50n, 1n, 30n] } },
    // More than was paid takes no more than all.
    {
      used: 0n,
      money: 9_999n,
      is: { withdrawn: 100n, owed: 0n, balance: 80n, left: [50n, 0n, 30n] },
    },
  ])("$used used, $money cents back: $is", ({ used, money, is }) => {
    const acme = threeLots();
    acme.use(used);
    const outcome = acme.refund("bought", money);
    const left = ["old", "bought", "new"].map(acme.left);
    expect({ ...outcome, balance: acme.balance(), left }).toEqual(is);
  });

  test("expired in part: what expired is not owed", () => {
    const acme = threeLots();
    acme.use(90n);
    acme.endOf("bought");
    expect(acme.refund("bought", 1_000n)).toEqual({ withdrawn: 0n, owed: 40n });
    expect(acme.balance()).toBe(-10n);
  });

  test("expired unused: nothing is owed, and nothing is posted", () => {
    const acme = threeLots();
    acme.endOf("bought");
    const before = acme.account();
    expect(acme.refund("bought", 1_000n)).toEqual({ withdrawn: 0n, owed: 0n });
    expect(acme.account()).toBe(before);
  });

  test("in three parts: the same as in one", () => {
    const acme = threeLots();
    acme.use(90n);
    const parts = [334n, 333n, 333n].map((money) => acme.refund("bought", money));
    expect(parts).toEqual([
      { withdrawn: 33n, owed: 0n },
      { withdrawn: 27n, owed: 6n },
      { withdrawn: 0n, owed: 34n },
    ]);
    expect(acme.balance()).toBe(-10n);
  });
});

describe("in the books", () => {
  test("withdrawn credits are an adjustment, owed ones a reversal, each naming the lot and the refund", () => {
    const acme = threeLots();
    acme.use(90n);
    acme.refund("bought", 1_000n);
    const told = { accountId: "acme", lotId: "bought", reference: "refund:re_1", dueAt: NOON };
    expect(acme.posted()).toEqual([
      { ...told, sequence: 4n, kind: "adjustment", credits: -60n, granted: 120n, position: 90n },
      { ...told, sequence: 5n, kind: "reversal", credits: -40n, granted: 120n, position: 130n },
    ]);
  });

  test("it is one movement: the balance is compared with the threshold once, at the end", () => {
    const acme = threeLots(45n);
    acme.use(90n);
    acme.refund("bought", 610n);
    expect(acme.lowBalance()).toEqual({
      ...{ accountId: "acme", crossing: 1n, balance: 29n, threshold: 45n },
      ...{ cause: "entry:5", occurredAt: NOON, needed: true },
    });
  });

  test("an account published as low is not published again", () => {
    const acme = threeLots(95n);
    acme.use(90n);
    acme.refund("bought", 100n);
    expect(acme.lowBalance()).toMatchObject({ crossing: 1n });
    acme.refund("bought", 100n);
    expect(acme.lowBalance()).toBe(null);
  });

  test("nothing expires of a lot that is wholly withdrawn", () => {
    const acme = playReversals();
    acme.grant("bought", 100n, { kind: "usual" });
    expect(acme.account().nextDueAt).not.toBe(null);
    acme.refund("bought", 1_000n);
    expect(acme.account().nextDueAt).toBe(null);
  });

  test("no more is owed than can still be drawn on the line", () => {
    const acme = playReversals(
      accountWith({ granted: MAX_BIGINT - 100n, position: MAX_BIGINT - 100n }),
    );
    acme.grant("bought", 100n);
    acme.use(90n);
    expect(acme.refund("bought", 1_000n)).toEqual({ withdrawn: 10n, owed: 10n });
    expect(acme.account().position).toBe(MAX_BIGINT);
  });
});

test("a charge that waited draws on the lot first, and no more of it is withdrawn than that leaves", () => {
  const bought = { lotId: "bought", start: 0n, end: 100n, expiresAt: null };
  const ended = { lotId: "ended", start: 100n, end: 130n, expiresAt: NOON - 1 };
  const charge = { addOnId: "seat", number: 1, period: 1, units: 1, credits: 30n, dueAt: NOON - 2 };
  const account = accountWith({ granted: 130n, position: 60n });
  const book = {
    ...{ account, lots: [bought, ended] },
    schedule: { ...EMPTY_SCHEDULE, dueCharges: [charge] },
  };
  const lot = { ...bought, credits: 100n, source: "top_up", reference: "", grantedAt: 0 } as const;
  const reversal = { amount: 1_000n, amountBefore: 0n, reference: "refund:re_1" };
  const context = { book, lot, remaining: 40n, spent: 60n, now: NOON };
  const topUp = topUpWith({ credits: 100n, amount: 1_000n });
  const { withdrawn, owed, step } = reverseTopUp(topUp, reversal, context);
  expect({ withdrawn, owed }).toEqual({ withdrawn: 10n, owed: 90n });
  expect(step?.account).toMatchObject({ granted: 90n, position: 180n });
  expect(step?.lots[0]).toMatchObject({ lotId: "bought", start: 0n, end: 90n });
});

test("many small refunds take no more than one full refund, and as much where everything was refunded", () => {
  const parts = fc.array(fc.bigInt(1n, 400n), { minLength: 1, maxLength: 12 });
  const amounts = fc.tuple(fc.bigInt(1n, 5_000n), fc.bigInt(0n, 5_000n));
  fc.assert(
    fc.property(parts, amounts, (cents, [credits, used]) => {
      const [whole, apart] = [playReversals(), playReversals()];
      const paid = cents.reduce((sum, one) => sum + one);
      for (const acme of [whole, apart]) {
        acme.grant("bought", credits, { kind: "never" }, paid);
        acme.use(used < credits ? used : credits);
      }
      const all = whole.refund("bought", paid);
      let sum = 0n;
      for (const one of cents) {
        const { withdrawn, owed } = apart.refund("bought", one);
        sum += withdrawn + owed;
        expect(sum <= all.withdrawn + all.owed).toBe(true);
      }
      expect(sum).toBe(credits);
      expect(apart.balance()).toBe(whole.balance());
    }),
  );
});

function threeLots(threshold = -1_000n) {
  const acme = playReversals(accountWith({ threshold }));
  acme.grant("old", 50n);
  acme.grant("bought", 100n);
  acme.grant("new", 30n);
  return acme;
}

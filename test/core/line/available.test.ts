/** What is shown as available never counts a lot that has ended, whether or not its expiry is posted. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Lot } from "../../../shared/core/line/account.ts";
import { availableAt, usableOf } from "../../../shared/core/line/available.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { withDueInstants } from "../../../shared/core/month/account-book.ts";
import { settle } from "../../../shared/core/month/settle.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { accountWith, lotOf, NOON } from "../../support/core/examples.ts";

const TWO = [lotOf("old", 0n, 100n, NOON), lotOf("new", 100n, 150n)];

describe("two lots, the first of which ends at noon", () => {
  test.each([
    { what: "before the end", position: 30n, at: NOON - 1, available: 120n },
    { what: "at the end, before its expiry is posted", position: 30n, at: NOON, available: 50n },
    { what: "partly into the second", position: 120n, at: NOON, available: 30n },
    { what: "in debt", position: 170n, at: NOON, available: -20n },
  ])("$what: $available", ({ position, at, available }) => {
    expect(availableAt({ granted: 150n, position }, TWO, at)).toBe(available);
  });
});

const anyLots = fc
  .array(
    fc.record({ credits: fc.bigInt(1n, 20n), ends: fc.option(fc.integer({ min: -3, max: 3 })) }),
    { maxLength: 6 },
  )
  .map((lots) => {
    let start = 0n;
    return lots.map(({ credits, ends }, index): Lot => {
      const lot = lotOf(String(index), start, start + credits, ends === null ? null : NOON + ends);
      start = lot.end;
      return lot;
    });
  });

test("it is the balance once everything that has ended is posted, and the sum of what lots have", () => {
  fc.assert(
    fc.property(anyLots, fc.bigInt(0n, 130n), (lots, position) => {
      const granted = lots.at(-1)?.end ?? 0n;
      const account = accountWith({ granted, position });
      const book = {
        account,
        lots: lots.filter(({ end }) => end > position),
        schedule: EMPTY_SCHEDULE,
      };
      const due = { ...book, account: withDueInstants(book) };
      const posted = settle(due, EMPTY_CATALOGUE, {
        clock: NOON,
        usage: NOON,
        completeUntil: null,
      });
      const available = availableAt(account, lots, NOON);
      expect(available).toBe(balanceOf(posted.account));
      const usable = lots.reduce((sum, lot) => sum + usableOf(lot, position, NOON), 0n);
      expect(usable).toBe(available > 0n ? available : 0n);
    }),
  );
});

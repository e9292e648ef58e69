/**
 * - what fell due is posted in that order; of two due together, the older lot first
 * - settling is one movement: the balance is compared with the threshold once, at the end
 * - settling twice, or in two steps, posts what settling once does
 * - nextDueAt tells when there is something to settle again
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Account, Lot } from "../../../shared/core/line/account.ts";
import { balanceOf, remainingOf } from "../../../shared/core/line/credit-line.ts";
import { isDue } from "../../../shared/core/month/account-book.ts";
import { GRACE_MS } from "../../../shared/core/month/expiry.ts";
import { settle as settleBook } from "../../../shared/core/month/settle.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { accountWith, lotOf, someCredits } from "../../support/core/examples.ts";

const NOTHING_ELSE = { schedule: EMPTY_SCHEDULE, granted: [], changes: [], fees: [] };

/** Settles an account without a subscription whose usage is complete up to `asOf`. */
function settle(account: Account, lots: readonly Lot[], asOf: number) {
  const upto = { clock: asOf, usage: asOf, completeUntil: asOf };
  return settleBook({ account, lots, schedule: EMPTY_SCHEDULE }, EMPTY_CATALOGUE, upto);
}

describe("an account is due", () => {
  test.each([
    { nextDueAt: null, due: false },
    { nextDueAt: 99, due: true },
    { nextDueAt: 100, due: true },
    { nextDueAt: 101, due: false },
  ])("$due at 100 when something falls due at $nextDueAt", ({ nextDueAt, due }) => {
    expect(isDue(accountWith({ nextDueAt }), 100)).toBe(due);
  });
});

describe("settling", () => {
  test("posts the expiry of a lot at the very instant of its end", () => {
    const lots = [lotOf("plan", 0n, 10n, 100), lotOf("top-up", 10n, 15n, 200)];
    const account = accountWith({ granted: 15n, position: 4n, entries: 2n, nextDueAt: 100 });
    expect(settle(account, lots, 100)).toEqual({
      ...NOTHING_ELSE,
      account: {
        ...account,
        position: 10n,
        entries: 3n,
        nextDueAt: 200,
        settleAt: 200 + GRACE_MS,
        expiredUntil: 100,
      },
      lots,
      entries: [
        {
          accountId: "acme",
          sequence: 3n,
          kind: "expiry",
          credits: -6n,
          granted: 15n,
          position: 10n,
          lotId: "plan",
          reference: "expiry:plan",
          dueAt: 100,
        },
      ],
      lowBalance: null,
    });
  });

  test("posts nothing a millisecond before", () => {
    const lots = [lotOf("plan", 0n, 10n, 100)];
    const account = accountWith({ granted: 10n, nextDueAt: 100, settleAt: 100 + GRACE_MS });
    const nothing = { account, lots, entries: [], lowBalance: null };
    expect(settle(account, lots, 99)).toEqual({ ...NOTHING_ELSE, ...nothing });
  });

  test("posts nothing for a lot that was used up", () => {
    const account = accountWith({ granted: 10n, position: 10n, nextDueAt: 100 });
    const settled = settle(account, [lotOf("plan", 0n, 10n, 100)], 100);
    expect(settled.entries).toEqual([]);
    expect(settled.account.nextDueAt).toBe(null);
  });

  test("goes by when lots expire, not by their age", () => {
    const lots = [lotOf("old", 0n, 10n, 90), lotOf("promo", 10n, 20n, 50), lotOf("new", 20n, 30n)];
    const { account, entries, lots: after } = settle(accountWith({ granted: 30n }), lots, 100);
    expect(entries.map(({ lotId, credits, dueAt }) => [lotId, credits, dueAt])).toEqual([
      ["promo", -10n, 50],
      ["old", -10n, 90],
    ]);
    expect(after).toEqual([
      lotOf("old", 0n, 10n, 90),
      lotOf("promo", 10n, 10n, 50),
      lotOf("new", 10n, 20n),
    ]);
    expect(account).toMatchObject({ granted: 20n, position: 10n, entries: 2n, nextDueAt: null });
  });

  test("takes the older of two lots that expire together first", () => {
    const lots = [lotOf("a", 0n, 10n, 50), lotOf("b", 10n, 20n, 50)];
    const { entries } = settle(accountWith({ granted: 20n }), lots.toReversed(), 50);
    expect(entries.map(({ lotId }) => lotId)).toEqual(["a", "b"]);
  });

  test("publishes a low balance once, at the end, naming the last entry", () => {
    const lots = [lotOf("a", 0n, 10n, 50), lotOf("b", 10n, 20n, 60), lotOf("c", 20n, 23n)];
    const account = accountWith({ granted: 23n, threshold: 15n, entries: 7n });
    const { lowBalance, account: after } = settle(account, lots, 70);
    expect(lowBalance).toEqual({
      accountId: "acme",
      crossing: 1n,
      balance: 3n,
      threshold: 15n,
      cause: "entry:9",
      occurredAt: 60,
      needed: false,
    });
    expect(after).toMatchObject({ lowBalance: true, crossings: 1n });
  });

  test("publishes none when nothing expired, however low the balance", () => {
    const account = accountWith({ granted: 5n, position: 9n, nextDueAt: 50 });
    expect(settle(account, [lotOf("a", 0n, 5n, 50)], 50).lowBalance).toBe(null);
  });

  test("publishes none again for an account already published as low", () => {
    const account = accountWith({ granted: 10n, threshold: 20n, lowBalance: true, crossings: 1n });
    const settled = settle(account, [lotOf("a", 0n, 10n, 50)], 50);
    expect(settled.lowBalance).toBe(null);
    expect(settled.account.crossings).toBe(1n);
  });
});

describe("whatever the lots and however far the account has drawn", () => {
  const someLots = fc.array(
    fc.record({ credits: someCredits, expiresAt: fc.option(fc.integer({ min: 1, max: 9 })) }),
    { maxLength: 6 },
  );
  const someAccount = fc.tuple(someLots, fc.nat(10_000)).map(([grants, drawn]) => {
    const lots: Lot[] = [];
    let granted = 0n;
    for (const { credits, expiresAt } of grants) {
      lots.push(lotOf(`lot-${lots.length}`, granted, granted + credits, expiresAt));
      granted += credits;
    }
    const position = ((granted + granted / 3n + 1n) * BigInt(drawn)) / 10_000n;
    return { account: accountWith({ granted, position, threshold: 3n }), lots };
  });
  const someTime = fc.integer({ min: 0, max: 10 });

  test("nothing that has expired is left, and all else is unchanged", () => {
    fc.assert(
      fc.property(someAccount, someTime, ({ account, lots }, asOf) => {
        const after = settle(account, lots, asOf);
        for (const [i, lot] of lots.entries()) {
          const ended = lot.expiresAt !== null && lot.expiresAt <= asOf;
          const left = ended ? 0n : remainingOf(lot, account.position);
          const now = after.lots[i];
          expect(now?.lotId).toBe(lot.lotId);
          expect(now && remainingOf(now, after.account.position)).toBe(left);
        }
      }),
    );
  });

  test("usage is paid by the oldest lot that has not ended, whichever ends first", () => {
    const someUses = fc.array(fc.record({ at: someTime, credits: fc.bigInt(1n, 20n) }));
    fc.assert(
      fc.property(someAccount, someUses, (books, uses) => {
        let lots: readonly Lot[] = books.lots;
        let account = { ...books.account, position: 0n };
        const naive = lots.map((lot) => ({ left: lot.end - lot.start, ends: lot.expiresAt }));
        for (const { at, credits } of uses.toSorted((a, b) => a.at - b.at)) {
          ({ account, lots } = settle(account, lots, at));
          account = { ...account, position: account.position + credits };
          payNaively(naive, at, credits);
          const left = lots.map((lot) => remainingOf(lot, account.position));
          expect(left).toEqual(naive.map((lot) => lot.left));
        }
      }),
    );
  });

  test("the entries lead from the balance before to the one after", () => {
    fc.assert(
      fc.property(someAccount, someTime, ({ account, lots }, asOf) => {
        const after = settle(account, lots, asOf);
        let balance = balanceOf(account);
        let dueAt = Number.NEGATIVE_INFINITY;
        for (const [i, entry] of after.entries.entries()) {
          balance += entry.credits;
          expect(entry.credits < 0n).toBe(true);
          expect(balanceOf(entry)).toBe(balance);
          expect(entry.sequence).toBe(account.entries + BigInt(i) + 1n);
          expect(entry.dueAt).toBeGreaterThanOrEqual(dueAt);
          dueAt = entry.dueAt;
        }
        expect(balanceOf(after.account)).toBe(balance);
      }),
    );
  });

  test("nextDueAt is when the next lot with something left expires", () => {
    fc.assert(
      fc.property(someAccount, someTime, ({ account, lots }, asOf) => {
        const ends = lots
          .filter((lot) => remainingOf(lot, account.position) > 0n)
          .flatMap(({ expiresAt }) => (expiresAt !== null && expiresAt > asOf ? [expiresAt] : []));
        const next = ends.length === 0 ? null : Math.min(...ends);
        expect(settle(account, lots, asOf).account.nextDueAt).toBe(next);
      }),
    );
  });

  test("settling in between changes neither the line nor what is posted", () => {
    fc.assert(
      fc.property(someAccount, someTime, someTime, ({ account, lots }, one, other) => {
        const at = Math.max(one, other);
        const once = settle(account, lots, at);
        const onTheWay = settle(account, lots, Math.min(one, other));
        const twice = settle(onTheWay.account, onTheWay.lots, at);
        expect([...onTheWay.entries, ...twice.entries]).toEqual(once.entries);
        expect(twice.lots).toEqual(once.lots);
        expect(lineOf(twice.account)).toEqual(lineOf(once.account));
      }),
    );
  });

  test("settling again at the same instant does nothing", () => {
    fc.assert(
      fc.property(someAccount, someTime, ({ account, lots }, asOf) => {
        const once = settle(account, lots, asOf);
        expect(isDue(once.account, asOf)).toBe(false);
        expect(settle(once.account, once.lots, asOf)).toEqual({
          ...once,
          entries: [],
          lowBalance: null,
        });
      }),
    );
  });

  /** Empties the lots that have ended, then takes credits from the others, oldest first. */
  function payNaively(lots: { left: bigint; ends: number | null }[], at: number, credits: bigint) {
    let open = credits;
    for (const lot of lots) {
      if (lot.ends !== null && lot.ends <= at) lot.left = 0n;
      const paid = lot.left < open ? lot.left : open;
      lot.left -= paid;
      open -= paid;
    }
  }

  function lineOf({ granted, position, entries, nextDueAt }: Account) {
    return { granted, position, entries, nextDueAt };
  }
});

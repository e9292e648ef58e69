/**
 * - credits are taken from the oldest lot on that has not ended, and may leave a debt
 * - it is one entry of its own; what was posted before is not changed
 * - the balance is compared with the threshold afterwards
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deductCredits } from "../../../shared/core/changes/adjust-credits.ts";
import type { Account } from "../../../shared/core/line/account.ts";
import { balanceOf, MAX_BIGINT, remainingOf } from "../../../shared/core/line/credit-line.ts";
import type { AccountBook } from "../../../shared/core/month/account-book.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { accountWith, lotOf, NOON, someCredits } from "../../support/core/examples.ts";

const OLD = lotOf("old", 0n, 100n);
const NEW = lotOf("new", 100n, 150n);

/** Lots of 100 and 50, with overrides. */
function bookWith(account: Partial<Account> = {}): AccountBook {
  return {
    account: accountWith({ granted: 150n, entries: 2n, version: 3n, ...account }),
    lots: [OLD, NEW],
    schedule: EMPTY_SCHEDULE,
  };
}

function deduct(credits: bigint, book = bookWith()) {
  return deductCredits({ credits, reference: "ticket 7" }, { book, now: NOON });
}

/** What is left of each lot afterwards. */
function left(credits: bigint, position: bigint) {
  const decision = deduct(credits, bookWith({ position }));
  if (decision.kind !== "deducted") throw new Error(decision.kind);
  const of = decision.account.position;
  const lots = decision.lots.map((lot) => [lot.lotId, remainingOf(lot, of)]);
  return { ...Object.fromEntries(lots), balance: balanceOf(decision.account) };
}

describe("a deduction", () => {
  test.each([
    { position: 0n, credits: 1n, after: { old: 99n, new: 50n, balance: 149n } },
    { position: 0n, credits: 100n, after: { old: 0n, new: 50n, balance: 50n } },
    { position: 40n, credits: 70n, after: { old: 0n, new: 40n, balance: 40n } },
    { position: 40n, credits: 110n, after: { old: 0n, new: 0n, balance: 0n } },
    { position: 40n, credits: 115n, after: { old: 0n, new: 0n, balance: -5n } },
    { position: 160n, credits: 5n, after: { old: 0n, new: 0n, balance: -15n } },
  ])("of $credits at $position leaves $after", ({ credits, position, after }) => {
    expect(left(credits, position)).toEqual(after);
  });

  test("is one entry with its reason, and moves no lot", () => {
    const decision = deduct(30n);
    expect(decision).toMatchObject({
      kind: "deducted",
      entries: [{ sequence: 3n, kind: "adjustment", credits: -30n, granted: 150n, position: 30n }],
      entry: { lotId: null, reference: "ticket 7", dueAt: NOON },
      lots: [OLD, NEW],
      ...{ granted: [], changes: [], fees: [] },
    });
  });

  test("draws on no lot that has ended, though its expiry waits for usage", () => {
    const lots = [{ ...OLD, expiresAt: NOON }, NEW];
    const decision = deduct(30n, { ...bookWith({ position: 40n }), lots });
    expect(decision).toMatchObject({
      kind: "deducted",
      ended: { entries: [{ sequence: 3n, kind: "expiry", credits: -60n, lotId: "old" }] },
      entries: [{ sequence: 4n, kind: "adjustment", credits: -30n, position: 130n }],
    });
  });

  test.each([0n, -1n])("of %s is refused", (credits) => {
    expect(deduct(credits)).toEqual({ kind: "no_credits" });
  });

  test("is refused where the line cannot hold it, and the refusal names the most it can", () => {
    const book = bookWith({ position: MAX_BIGINT - 10n });
    const refused = deduct(11n, book);
    expect(refused).toEqual({ kind: "overflow", most: 10n });
    expect(deduct(10n, book).kind).toBe("deducted");
  });

  test.each([
    { credits: 99n, threshold: 50n, says: 0 },
    { credits: 100n, threshold: 50n, says: 1 },
    { credits: 300n, threshold: 0n, says: 1 },
  ])("of $credits publishes a low balance at $threshold: $says", ({ credits, threshold, says }) => {
    const decision = deduct(credits, bookWith({ threshold }));
    expect(decision).toMatchObject({ kind: "deducted" });
    if (decision.kind !== "deducted") return;
    expect(decision.lowBalance === null ? 0 : 1).toBe(says);
    expect(decision.account.lowBalance).toBe(says > 0);
    if (says > 0) expect(decision.lowBalance).toMatchObject({ cause: "entry:3" });
  });
});

test("in two parts takes the same as in one", () => {
  fc.assert(
    fc.property(someCredits, someCredits, (one, other) => {
      const once = deduct(one + other);
      const first = deduct(one);
      if (once.kind !== "deducted" || first.kind !== "deducted") return;
      const second = deduct(other, { ...bookWith(), account: first.account });
      expect(second).toMatchObject({ kind: "deducted" });
      if (second.kind !== "deducted") return;
      expect(second.account.position).toBe(once.account.position);
      expect(balanceOf(second.account)).toBe(150n - one - other);
    }),
  );
});

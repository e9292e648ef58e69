/**
 * - a balance at the threshold is low, one above it is not
 * - once published, it is not published again until a grant arms the account
 * - crossings count up by one
 * - an expiry, a deduction or a withdrawal alone leaves no need of credits; the next charge of an add-on
 *   does, and is published once more. It does not matter which entries are one movement
 *
 * meter-usage-histories.test.ts checks against the reference model that each crossing is published
 * exactly once, whatever crosses.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Account, Entry } from "../../../shared/core/line/account.ts";
import {
  hasCrossed,
  judgeBalance,
  rearm,
  recordLowBalance,
  waitsForNeed,
} from "../../../shared/core/line/low-balance.ts";
import { accountWith, NOON } from "../../support/core/examples.ts";

describe("a balance is low", () => {
  test.each([
    { granted: 10n, position: 7n, threshold: 2n, low: false },
    { granted: 10n, position: 8n, threshold: 2n, low: true },
    { granted: 10n, position: 9n, threshold: 2n, low: true },
    { granted: 10n, position: 10n, threshold: 0n, low: true },
    { granted: 10n, position: 9n, threshold: 0n, low: false },
    { granted: 10n, position: 14n, threshold: 0n, low: true },
    { granted: 10n, position: 14n, threshold: -5n, low: false },
  ])("$low: $position of $granted drawn, threshold $threshold", ({ low, ...given }) => {
    expect(hasCrossed(accountWith(given))).toBe(low);
  });

  test("but not published again while it stays low", () => {
    expect(hasCrossed(accountWith({ granted: 10n, position: 12n, lowBalance: true }))).toBe(false);
  });
});

test("a published low balance is counted, and names what crossed and the balance then", () => {
  const before = accountWith({ granted: 10n, position: 9n, threshold: 3n, crossings: 4n });
  const crossed = { cause: "event:e7", occurredAt: NOON, needed: true };
  expect(recordLowBalance(before, crossed)).toEqual({
    account: { ...before, lowBalance: true, crossings: 5n },
    lowBalance: {
      accountId: "acme",
      crossing: 5n,
      balance: 1n,
      threshold: 3n,
      cause: "event:e7",
      occurredAt: NOON,
      needed: true,
    },
  });
});

describe("after a grant", () => {
  test("an account published as low is armed again", () => {
    const low = accountWith({ granted: 10n, position: 4n, lowBalance: true, crossings: 1n });
    expect(rearm(low)).toEqual({ ...low, lowBalance: false });
    expect(hasCrossed(rearm(low))).toBe(false);
  });

  test("one that is still low is armed too, and published again", () => {
    const low = accountWith({ granted: 10n, position: 14n, lowBalance: true, crossings: 1n });
    expect(hasCrossed(rearm(low))).toBe(true);
  });

  test("one that was not low is unchanged", () => {
    const well = accountWith({ granted: 10n });
    expect(rearm(well)).toBe(well);
  });
});

describe("an account that is low needs credits", () => {
  test.each<{ moves: Move[]; cause: string | null; needed: boolean }>([
    { moves: [["expiry", -10n]], cause: "entry:1", needed: false },
    { moves: [["adjustment", -10n]], cause: "entry:1", needed: false },
    { moves: [["reversal", -10n]], cause: "entry:1", needed: true },
    { moves: [["add_on_charge", -10n]], cause: "entry:1", needed: true },
    {
      moves: [
        ["add_on_charge", -6n],
        ["expiry", -4n],
      ],
      cause: "entry:2",
      needed: false,
    },
    {
      moves: [
        ["expiry", -10n],
        ["add_on_charge", -1n],
      ],
      cause: "entry:2",
      needed: true,
    },
    {
      moves: [
        ["add_on_charge", -10n],
        ["adjustment", -1n],
      ],
      cause: "entry:1",
      needed: true,
    },
    {
      moves: [
        ["add_on_charge", -11n],
        ["grant", 2n],
        ["expiry", -1n],
      ],
      cause: "entry:3",
      needed: false,
    },
    {
      moves: [
        ["expiry", -10n],
        ["grant", 1n],
      ],
      cause: null,
      needed: false,
    },
  ])("$moves from 10: $needed, by $cause", ({ moves, cause, needed }) => {
    const { lowBalance } = moved(accountWith({ granted: 10n }), moves);
    const published = cause === null ? null : { cause, needed };
    expect(lowBalance && { cause: lowBalance.cause, needed: lowBalance.needed }).toEqual(published);
  });

  test("is published again when an add-on first needs credits, and then no more", () => {
    const expired = moved(accountWith({ granted: 10n }), [["expiry", -10n]]);
    const again = moved(expired.account, [["expiry", 0n]]);
    const charged = moved(again.account, [["add_on_charge", -1n]]);
    const more = moved(charged.account, [["add_on_charge", -1n]]);
    const published = [expired, again, charged, more].map(({ lowBalance: low }) =>
      low === null ? null : [low.crossing, low.needed],
    );
    expect(published).toEqual([[1n, false], null, [2n, true], null]);
  });

  test("a grant that leaves it low publishes it again, and does not need credits", () => {
    const expired = moved(accountWith({ granted: 10n, threshold: 8n }), [["expiry", -10n]]);
    const { lowBalance, account } = moved(expired.account, [["grant", 8n]]);
    expect(lowBalance).toMatchObject({ crossing: 2n, needed: false });
    expect(waitsForNeed(account)).toBe(true);
  });

  test("whichever entries are one movement", () => {
    const someMoves = fc.array(
      fc.oneof(
        fc.tuple(fc.constant("grant" as const), fc.bigInt({ min: 1n, max: 9n })),
        fc.tuple(
          fc.constantFrom("expiry" as const, "adjustment" as const, "add_on_charge" as const),
          fc.bigInt({ min: -9n, max: -1n }),
        ),
      ),
      { maxLength: 8 },
    );
    const start = accountWith({ granted: 6n, threshold: 3n });
    fc.assert(
      fc.property(someMoves, (moves) => {
        const one = moved(start, moves).account;
        const many = moves.reduce((account, move) => moved(account, [move]).account, start);
        const stateOf = (account: Account) => [account.lowBalance, waitsForNeed(account)];
        expect(stateOf(many)).toEqual(stateOf(one));
      }),
    );
  });
});

type Move = readonly [kind: Entry["kind"], credits: bigint];

/** One movement of these entries. */
function moved(before: Account, moves: readonly Move[]) {
  let account = before;
  const entries = moves.map(([kind, credits]): Entry => {
    const granted = account.granted + (credits > 0n ? credits : 0n);
    const position = account.position - (credits < 0n ? credits : 0n);
    const sequence = account.entries + 1n;
    account = { ...account, granted, position, entries: sequence };
    const { accountId } = account;
    const details = { lotId: null, reference: "", dueAt: NOON };
    return { accountId, sequence, kind, credits, granted, position, ...details };
  });
  return judgeBalance(account, entries);
}

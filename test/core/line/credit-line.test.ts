/**
 * Invariants, checked after every operation:
 *
 * - balance = granted - position
 * - the remainders of the lots sum to max(0, balance)
 * - the lots tile [0, granted) without a gap
 * - drawing writes to no lot, nor does expiring a lot that was reached
 * - expiring a lot that was not reached moves only lots that were not reached, and takes from no other
 * - what a lot paid, what expired of it and what is left sum to its grant
 * - each micro-credit of a draw is paid by exactly one lot or is debt
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Lot } from "../../../shared/core/line/account.ts";
import {
  balanceOf,
  type CreditLine,
  drawDown,
  expire,
  grant,
  MAX_BIGINT,
  overlapOf,
  remainingOf,
  type Stretch,
} from "../../../shared/core/line/credit-line.ts";
import { lotOf, someCredits } from "../../support/core/examples.ts";

const EMPTY: CreditLine = { granted: 0n, position: 0n };

describe("balance", () => {
  test.each([
    { granted: 0n, position: 0n, balance: 0n },
    { granted: 10n, position: 3n, balance: 7n },
    { granted: 10n, position: 10n, balance: 0n },
    { granted: 10n, position: 14n, balance: -4n },
    { granted: MAX_BIGINT, position: 0n, balance: MAX_BIGINT },
    { granted: 0n, position: MAX_BIGINT, balance: -MAX_BIGINT },
  ])("of $granted granted with $position drawn is $balance", ({ balance, ...line }) => {
    expect(balanceOf(line)).toBe(balance);
  });
});

describe("what is left of the lot [10, 20)", () => {
  test.each([
    { position: 0n, left: 10n },
    { position: 10n, left: 10n },
    { position: 11n, left: 9n },
    { position: 19n, left: 1n },
    { position: 20n, left: 0n },
    { position: 99n, left: 0n },
  ])("with $position drawn is $left", ({ position, left }) => {
    expect(remainingOf({ start: 10n, end: 20n }, position)).toBe(left);
  });

  test("is nothing once the lot is withdrawn, wherever the position", () => {
    expect(remainingOf({ start: 10n, end: 10n }, 4n)).toBe(0n);
  });
});

describe("a grant", () => {
  test("is a lot at the end of the line", () => {
    expect(grant({ granted: 10n, position: 3n }, 5n)).toEqual({
      line: { granted: 15n, position: 3n },
      lot: { start: 10n, end: 15n },
    });
  });

  test("repays debt first: of 5 granted on a debt of 4, 1 is left", () => {
    const { line, lot } = grant({ granted: 10n, position: 14n }, 5n);
    expect(balanceOf(line)).toBe(1n);
    expect(remainingOf(lot, line.position)).toBe(1n);
  });

  test("smaller than the debt leaves nothing of its lot", () => {
    const { line, lot } = grant({ granted: 10n, position: 14n }, 3n);
    expect(balanceOf(line)).toBe(-1n);
    expect(remainingOf(lot, line.position)).toBe(0n);
  });
});

describe("expiring a lot", () => {
  const lots = [lotOf("first", 0n, 10n), lotOf("second", 10n, 20n), lotOf("third", 20n, 30n)];
  const [first, second, third] = lots as [Lot, Lot, Lot];

  test("partly drawn: the position passes its end", () => {
    expect(expire({ granted: 30n, position: 4n }, lots, first)).toEqual({
      line: { granted: 30n, position: 10n },
      expired: 6n,
      moved: [],
    });
  });

  test("just reached: nothing moves, all of it expires", () => {
    expect(expire({ granted: 30n, position: 10n }, lots, second)).toEqual({
      line: { granted: 30n, position: 20n },
      expired: 10n,
      moved: [],
    });
  });

  test("used up: nothing happens", () => {
    const line = { granted: 30n, position: 20n };
    expect(expire(line, lots, second)).toEqual({ line, expired: 0n, moved: [] });
  });

  test("not reached by one micro-credit: it is withdrawn and the lots behind it move up", () => {
    expect(expire({ granted: 30n, position: 9n }, lots, second)).toEqual({
      line: { granted: 20n, position: 9n },
      expired: 10n,
      moved: [lotOf("second", 10n, 10n), lotOf("third", 10n, 20n)],
    });
  });

  test("the last lot, not reached: no other moves", () => {
    expect(expire({ granted: 30n, position: 0n }, lots, third)).toEqual({
      line: { granted: 20n, position: 0n },
      expired: 10n,
      moved: [lotOf("third", 20n, 20n)],
    });
  });

  test("withdrawn before: nothing happens", () => {
    const line = { granted: 20n, position: 0n };
    const gone = lotOf("gone", 10n, 10n);
    expect(expire(line, [lotOf("first", 0n, 10n), gone, lotOf("next", 10n, 20n)], gone)).toEqual({
      line,
      expired: 0n,
      moved: [],
    });
  });

  test("behind one already withdrawn at the same place: that one stays where it is", () => {
    const withWithdrawn = [
      lotOf("first", 0n, 10n),
      lotOf("gone", 10n, 10n),
      lotOf("next", 10n, 20n),
    ];
    const { moved } = expire(
      { granted: 20n, position: 0n },
      withWithdrawn,
      lotOf("next", 10n, 20n),
    );
    expect(moved).toEqual([lotOf("next", 10n, 10n)]);
  });
});

describe("what a lot [10, 20) pays of a draw", () => {
  test.each([
    { start: 0n, end: 10n, paid: 0n, where: "before it" },
    { start: 5n, end: 12n, paid: 2n, where: "into it" },
    { start: 12n, end: 15n, paid: 3n, where: "within it" },
    { start: 0n, end: 99n, paid: 10n, where: "across it" },
    { start: 18n, end: 99n, paid: 2n, where: "out of it" },
    { start: 20n, end: 25n, paid: 0n, where: "behind it" },
    { start: 15n, end: 15n, paid: 0n, where: "of nothing" },
  ])("[$start, $end), $where, is $paid", ({ paid, ...drawn }) => {
    expect(overlapOf({ start: 10n, end: 20n }, drawn)).toBe(paid);
  });
});

describe("after any sequence of grants, draws and expiries", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ grant: someCredits }) },
    { weight: 4, arbitrary: fc.record({ draw: fc.oneof(fc.constant(0n), someCredits) }) },
    { weight: 3, arbitrary: fc.record({ expire: fc.nat(7) }) },
  );
  const steps = fc.array(step, { maxLength: 25 });

  test("the lots tile the line and their remainders sum to max(0, balance)", () => {
    hold(({ line, lots }) => {
      let end = 0n;
      for (const lot of lots) {
        expect(lot.start).toBe(end);
        end = lot.end;
      }
      expect(line.granted).toBe(end);
      const balance = balanceOf(line);
      const left = lots.reduce((sum, lot) => sum + remainingOf(lot, line.position), 0n);
      expect(left).toBe(balance > 0n ? balance : 0n);
    });
  });

  test("the oldest lot that has something is the only one that is partly used", () => {
    hold(({ line, lots }) => {
      const left = lots.map((lot) => remainingOf(lot, line.position));
      const oldest = left.findIndex((credits) => credits > 0n);
      lots.slice(oldest + 1).forEach((lot, i) => {
        if (oldest >= 0) expect(left[oldest + 1 + i]).toBe(lot.end - lot.start);
      });
    });
  });

  test("each micro-credit drawn is paid by one lot or is debt", () => {
    hold(({ line, lots, draws }) => {
      const debt = { start: line.granted, end: line.position };
      let unpaid = 0n;
      for (const draw of draws) {
        const paid = lots.reduce((sum, lot) => sum + overlapOf(lot, draw), 0n);
        expect(paid + overlapOf(debt, draw)).toBe(draw.end - draw.start);
        unpaid += overlapOf(debt, draw);
      }
      expect(unpaid).toBe(balanceOf(line) < 0n ? -balanceOf(line) : 0n);
    });
  });

  test("a lot's grant is what it paid, what expired of it and what is left", () => {
    hold(({ line, lots, draws, grants, expired }) => {
      lots.forEach((lot, i) => {
        const paid = draws.reduce((sum, draw) => sum + overlapOf(lot, draw), 0n);
        const ended = expired.get(lot.lotId) ?? 0n;
        expect(paid + ended + remainingOf(lot, line.position)).toBe(grants[i]);
      });
    });
  });

  test("expiring a lot takes its remainder from the balance, and nothing from another lot", () => {
    fc.assert(
      fc.property(steps, fc.nat(7), (before, pick) => {
        const { line, lots } = play(before);
        const lot = lots[pick % Math.max(lots.length, 1)];
        if (lot === undefined) return;
        const ended = expire(line, lots, lot);
        expect(balanceOf(ended.line)).toBe(balanceOf(line) - ended.expired);
        expect(ended.expired).toBe(remainingOf(lot, line.position));
        for (const [i, after] of standingAfter(lots, ended.moved).entries()) {
          const left = lot.lotId === after.lotId ? 0n : leftOf(lots[i], line);
          expect(remainingOf(after, ended.line.position)).toBe(left);
        }
      }),
    );
  });

  test("expiring a lot moves another only when both lie wholly ahead of the position", () => {
    fc.assert(
      fc.property(steps, fc.nat(7), (before, pick) => {
        const { line, lots } = play(before);
        const lot = lots[pick % Math.max(lots.length, 1)];
        if (lot === undefined) return;
        const ended = expire(line, lots, lot);
        expect(ended.line.position === line.position || ended.moved.length === 0).toBe(true);
        for (const moved of ended.moved) {
          const was = lots.find(({ lotId }) => lotId === moved.lotId);
          expect(was !== undefined && was.start > line.position).toBe(true);
          expect(moved.start > line.position).toBe(true);
        }
      }),
    );
  });

  test("drawing in parts equals drawing in one", () => {
    fc.assert(
      fc.property(steps, someCredits, someCredits, (before, one, other) => {
        const { line } = play(before);
        expect(drawDown(drawDown(line, one), other)).toEqual(drawDown(line, one + other));
      }),
    );
  });

  interface Played {
    readonly line: CreditLine;
    readonly lots: readonly Lot[];
    /** The grant of each of `lots`. */
    readonly grants: readonly bigint[];
    readonly draws: readonly Stretch[];
    readonly expired: ReadonlyMap<string, bigint>;
  }

  /** Checks the invariants after every step of a sequence. */
  function hold(check: (played: Played) => void): void {
    fc.assert(
      fc.property(steps, (sequence) => check(play(sequence))),
      { numRuns: 300 },
    );
  }

  function play(sequence: readonly ({ grant: bigint } | { draw: bigint } | { expire: number })[]) {
    let line = EMPTY;
    let lots: Lot[] = [];
    const grants: bigint[] = [];
    const draws: Stretch[] = [];
    const expired = new Map<string, bigint>();
    for (const step of sequence) {
      if ("grant" in step) {
        const granted = grant(line, step.grant);
        line = granted.line;
        lots.push({ ...granted.lot, lotId: `lot-${lots.length}`, expiresAt: null });
        grants.push(step.grant);
      } else if ("draw" in step) {
        const start = line.position;
        line = drawDown(line, step.draw);
        draws.push({ start, end: line.position });
      } else {
        const lot = lots[step.expire % Math.max(lots.length, 1)];
        if (lot === undefined) continue;
        const ended = expire(line, lots, lot);
        line = ended.line;
        lots = standingAfter(lots, ended.moved);
        expired.set(lot.lotId, (expired.get(lot.lotId) ?? 0n) + ended.expired);
      }
    }
    return { line, lots, grants, draws, expired };
  }

  function standingAfter(lots: readonly Lot[], moved: readonly Lot[]): Lot[] {
    return lots.map((lot) => moved.find(({ lotId }) => lotId === lot.lotId) ?? lot);
  }

  function leftOf(lot: Lot | undefined, line: CreditLine): bigint {
    return lot === undefined ? 0n : remainingOf(lot, line.position);
  }
});

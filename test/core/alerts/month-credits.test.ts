import fc from "fast-check";
import { expect, test } from "vitest";
import { percentsReached } from "../../../shared/core/alerts/alert.ts";
import { monthMarks, nextMark, usedOf } from "../../../shared/core/alerts/month-credits.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";

const LEVELS = [50, 80, 100];
const at = (lots: readonly (readonly [bigint, bigint])[], percents = LEVELS) =>
  monthMarks(
    lots.map(([start, end]) => ({ start, end })),
    percents,
  ).map((mark) => mark.at);

test("levels are where that share of the month's lot is drawn, behind what was left before it", () => {
  expect(at([[40n, 140n]])).toEqual([90n, 120n, 140n]);
});

test("a difference to a larger plan counts, and what lies between the two does not", () => {
  const lots = [
    [0n, 100n],
    [150n, 250n],
  ] as const;
  expect(at(lots)).toEqual([100n, 210n, 250n]);
});

test("a level is reached by the micro-credit that completes it", () => {
  expect(at([[0n, 3n]])).toEqual([2n, 3n, 3n]);
});

test("a month without credits has no levels", () => {
  expect(at([])).toEqual([]);
  expect(at([[7n, 7n]])).toEqual([]);
});

test("the next level is the first that is ahead; behind the last there is none", () => {
  const marks = monthMarks([{ start: 0n, end: 100n }], LEVELS);
  expect([0n, 49n, 50n, 99n].map((position) => nextMark(marks, position))).toEqual([
    ...[50n, 50n, 80n, 100n],
  ]);
  expect(nextMark(marks, 100n)).toBe(MAX_BIGINT);
});

test("a level is where the share that is used first comes to it, wherever the lots lie", () => {
  const lotsOf = fc
    .array(fc.tuple(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: 300n })), {
      maxLength: 4,
    })
    .map((sizes) => {
      let place = 0n;
      return sizes.map(([gap, size]) => {
        const start = place + gap;
        place = start + size;
        return { start, end: place };
      });
    });
  fc.assert(
    fc.property(lotsOf, fc.integer({ min: 1, max: 100 }), (lots, percent) => {
      const total = usedOf(lots, MAX_BIGINT);
      for (const mark of monthMarks(lots, [percent])) {
        expect(percentsReached([percent], usedOf(lots, mark.at), total)).toEqual([percent]);
        expect(percentsReached([percent], usedOf(lots, mark.at - 1n), total)).toEqual([]);
      }
    }),
  );
});

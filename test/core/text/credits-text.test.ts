import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { formatCredits, parseCredits } from "../../../shared/core/text/credits-text.ts";

describe("credits are read exactly", () => {
  test.each([
    ["0", 0n],
    ["3", 3_000_000n],
    ["0.25", 250_000n],
    ["0.1", 100_000n],
    ["0.000001", 1n],
    ["007.50", 7_500_000n],
    ["9007199254.740993", 9_007_199_254_740_993n],
    ["9223372036854.775807", MAX_BIGINT],
  ])("%s", (text, credits) => {
    expect(parseCredits(text)).toBe(credits);
  });
});

describe("invalid amounts of credits are refused with a reason", () => {
  test.each([
    ["", "the credits are empty"],
    [" ", "the credits are empty"],
    ["-1", "-1 credits are below zero"],
    ["1.0000000", "1.0000000 has more than 6 decimals"],
    [
      "9223372036854.775808",
      "9223372036854.775808 credits are more than the 9223372036854.775807 possible",
    ],
    ...["abc", "1e3", "+1", ".5", "5.", "1,5", "1 000", "0x10", "١", "Infinity", "--1"].map(
      (text) => [text, `"${text}" is not an amount of credits; write it like 3 or 0.25`],
    ),
  ])("%j", (text, reason) => {
    expect(() => parseCredits(text)).toThrow(new RangeError(reason));
  });
});

test.each([
  [0n, "0"],
  [3_000_000n, "3"],
  [250_000n, "0.25"],
  [1n, "0.000001"],
  [-1n, "-0.000001"],
  [-2_500_000n, "-2.5"],
])("%s micro-credits are written %s", (credits, text) => {
  expect(formatCredits(credits)).toBe(text);
});

test("what is written is read back unchanged", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, MAX_BIGINT), (credits) => {
      expect(parseCredits(formatCredits(credits))).toBe(credits);
    }),
  );
});

/** A number is taken as it is written: no float comes near it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactText, parseExact } from "../../../shared/catalogue/price-tables/exact-number.ts";

test.each([
  ["3", "3"],
  ["0.0000003", "0.0000003"],
  ["1e-7", "0.0000001"],
  ["3.5e-06", "0.0000035"],
  ["3.50E-06", "0.0000035"],
  ["1.0e+2", "100"],
  ["999999999.999999999999999999999", "999999999.999999999999999999999"],
  // The double nearest to it is 0.1000000000000000055...
  ["0.1", "0.1"],
  // Neither of them is a double.
  ["0.30000000000000004", "0.30000000000000004"],
  ["9007199254740993e-9", "9007199.254740993"],
  ["0", "0"],
  ["0.000", "0"],
  ["0e400", "0"],
  ["1e-18", "0.000000000000000001"],
])("%s is %s", (text, exact) => {
  expect(exactText(parseExact(text))).toBe(exact);
});

describe("is refused:", () => {
  test.each([
    ["", "is missing"],
    ["-0.5", "must be 0 or more, without a sign, not -0.5"],
    ["-0", "must be 0 or more, without a sign, not -0"],
    ["1e400", "must be below 1,000,000,000, not 1e400"],
    ["1000000000", "must be below 1,000,000,000, not 1000000000"],
    ["1e-19", "must be 0 or at least 1e-18, not 1e-19"],
    ["9.99e-19", "must be 0 or at least 1e-18, not 9.99e-19"],
    ["1e99999999999999999999", "must be below 1,000,000,000, not 1e99999999999999999999"],
    ["1e-99999999999999999999", "must be 0 or at least 1e-18, not 1e-99999999999999999999"],
    ["0.1234567890123456789012345678901", "has 31 digits; at most 30 are possible"],
    ["9".repeat(101), "has 101 characters; a number has at most 100"],
    ["free", 'must be a number like 3, 0.0000003 or 3e-7, not "free"'],
    ["$3", 'must be a number like 3, 0.0000003 or 3e-7, not "$3"'],
    ["1,000", 'must be a number like 3, 0.0000003 or 3e-7, not "1,000"'],
    ["0,5", 'must be a number like 3, 0.0000003 or 3e-7, not "0,5"'],
    ["+3", 'must be a number like 3, 0.0000003 or 3e-7, not "+3"'],
    [" 3", 'must be a number like 3, 0.0000003 or 3e-7, not " 3"'],
    [".5", 'must be a number like 3, 0.0000003 or 3e-7, not ".5"'],
    ["007", 'must be a number like 3, 0.0000003 or 3e-7, not "007"'],
    ["0x10", 'must be a number like 3, 0.0000003 or 3e-7, not "0x10"'],
    ["NaN", 'must be a number like 3, 0.0000003 or 3e-7, not "NaN"'],
    ["٣", 'must be a number like 3, 0.0000003 or 3e-7, not "٣"'],
  ])("%s", (text, problem) => {
    expect(() => parseExact(text)).toThrow(new RangeError(problem));
  });
});

test("every way of writing a number is the same number", () => {
  const digits = fc.integer({ min: 1, max: 999_999_999 });
  fc.assert(
    fc.property(
      digits,
      fc.integer({ min: 0, max: 12 }),
      fc.nat(5),
      (coefficient, places, zeros) => {
        const whole = String(coefficient).padStart(places + 1, "0");
        const cut = whole.length - places;
        const plain = `${whole.slice(0, cut)}.${whole.slice(cut)}${"0".repeat(zeros + 1)}`;
        const number = parseExact(`${coefficient}e-${places}`);
        expect(parseExact(plain)).toEqual(number);
        expect(parseExact(`${coefficient}${"0".repeat(zeros)}e-${places + zeros}`)).toEqual(number);
        expect(parseExact(exactText(number))).toEqual(number);
      },
    ),
  );
});

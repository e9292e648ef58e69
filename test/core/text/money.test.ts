import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import {
  decimalsOf,
  formatMoney,
  isCurrency,
  minorUnitsOf,
  parseMoney,
} from "../../../shared/core/text/money.ts";

describe("money is read exactly, into minor units", () => {
  test.each([
    ["0", "USD", 0n],
    ["29", "USD", 2900n],
    ["29.9", "USD", 2990n],
    ["0.29", "EUR", 29n],
    ["1234567.89", "EUR", 123_456_789n],
    ["500", "JPY", 500n],
    ["1.005", "KWD", 1005n],
    ["92233720368547758.07", "USD", MAX_BIGINT],
  ])("%s %s", (text, currency, amount) => {
    expect(parseMoney(text, currency)).toBe(amount);
  });
});

describe("invalid amounts of money are refused with a reason", () => {
  test.each<string[]>([
    ["-1", "USD", "-1 USD is below zero"],
    ["1.005", "USD", "1.005 has more decimals than the 2 of USD"],
    ["1.0", "JPY", "1.0 has more decimals than the 0 of JPY"],
    ["1.0000", "KWD", "1.0000 has more decimals than the 3 of KWD"],
    [
      "92233720368547758.08",
      "USD",
      "92233720368547758.08 USD is more than the 92233720368547758.07 possible",
    ],
    ["abc", "JPY", '"abc" is not an amount of JPY; write it like 2900'],
    ...["", " ", "1e3", "1e400", "+1", ".5", "5.", "1,5", "0x10", "NaN", "Infinity", "$5", "١"].map(
      (text) => [text, "USD", `"${text}" is not an amount of USD; write it like 29.00`],
    ),
  ])("%j %s", (text = "", currency = "", reason = "") => {
    expect(() => parseMoney(text, currency)).toThrow(new RangeError(reason));
  });
});

test.each([
  [0n, "USD", "0.00"],
  [5n, "USD", "0.05"],
  [2900n, "USD", "29.00"],
  [2900n, "JPY", "2900"],
  [2900n, "KWD", "2.900"],
])("%s minor units of %s are written %s", (amount, currency, text) => {
  expect(formatMoney(amount, currency)).toBe(text);
});

test.each([
  ["JPY", 1n],
  ["USD", 100n],
  ["KWD", 1_000n],
])("one unit of %s is %s minor units", (currency, units) => {
  expect(minorUnitsOf(currency)).toBe(units);
  expect(parseMoney("1", currency)).toBe(units);
});

test.each([
  ["HUF", "2900"],
  ["KWD", "2.900"],
  ["USD", "29.00"],
])(
  "a stored amount of %s means the same where Node or the browser knows other decimals",
  async (currency, written) => {
    vi.resetModules();
    const fresh = await import("../../../shared/core/text/money.ts");
    const elsewhere = { ...new Intl.NumberFormat().resolvedOptions(), maximumFractionDigits: 4 };
    vi.spyOn(Intl.NumberFormat.prototype, "resolvedOptions").mockReturnValue(elsewhere);
    const text = fresh.formatMoney(2900n, currency);
    vi.restoreAllMocks();
    expect(text).toBe(written);
  },
);

/** Another CLDR may have others; the table stays as it is. */
const HAS_CLDR = process.versions["cldr"]?.startsWith("48") === true;

test.runIf(HAS_CLDR)(
  "decimals are those of CLDR 48, for every currency and unit of account",
  () => {
    for (const currency of [...Intl.supportedValuesOf("currency"), "CLF", "UYI", "UYW"]) {
      const known = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
      expect([currency, decimalsOf(currency)]).toEqual([currency, known.maximumFractionDigits]);
    }
  },
);

test("what is written is read back unchanged, in any currency", () => {
  const currency = fc.constantFrom(...Intl.supportedValuesOf("currency"));
  fc.assert(
    fc.property(fc.bigInt(0n, MAX_BIGINT), currency, (amount, code) => {
      expect(parseMoney(formatMoney(amount, code), code)).toBe(amount);
    }),
  );
});

test.each([
  ["EUR", true],
  ["JPY", true],
  ["eur", false],
  ["EURO", false],
  ["XYZ", false],
  ["", false],
  ["constructor", false],
])("%j is a currency: %s", (text, is) => {
  expect(isCurrency(text)).toBe(is);
});

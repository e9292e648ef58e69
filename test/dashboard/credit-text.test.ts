import { describe, expect, it, onTestFinished } from "vitest";
import {
  balanceText,
  countText,
  exactCredits,
  moneyText,
  shareText,
  shortCredits,
  signedCredits,
} from "../../services/dashboard/text/credit-text.ts";
import { enteredText, plainText, setLocale } from "../../services/dashboard/text/locale.ts";
import { referenceText } from "../../services/dashboard/text/payment-text.ts";
import { dateText } from "../../services/dashboard/text/time-text.ts";

describe("displayed credits", () => {
  it.each([
    [16_486_275_000n, "16,486.275"],
    [0n, "0"],
    [-18_060n, "−0.01806"],
    [1_000_000_000_000n, "1,000,000"],
    [1n, "0.000001"],
    [1_234_567_123_456n, "1,234,567.123456"],
    [9_223_372_036_854_775_807n, "9,223,372,036,854.775807"],
  ])("%s micro-credits are exactly %s", (credits, text) => {
    expect(exactCredits(credits)).toBe(text);
  });

  it.each([
    [16_486_279_999n, "16,486.27"],
    [16_486_200_000n, "16,486.20"],
    [0n, "0.00"],
    [9_999n, "0.00"],
    [-1n, "0.00"],
    [-1_234_560_000n, "−1,234.56"],
    [-1_234_560_001n, "−1,234.56"],
  ])("%s in large type is %s: never more than the balance", (credits, text) => {
    expect(balanceText(credits)).toBe(text);
  });

  it.each([
    [312_000_000n, "312"],
    [5_075_400_000n, "5,075.4"],
    [5_075_405_000n, "5,075.4"],
    [300_000_000n, "300"],
    [1_000_000_000n, "1,000"],
    [100n, "0.0001"],
    [-12_480_000n, "−12.48"],
    [0n, "0"],
  ])("%s in a sum is %s", (credits, text) => {
    expect(shortCredits(credits)).toBe(text);
  });

  it("is cut to the same hundredth wherever it is shown", () => {
    for (const credits of [256_355_000n, 256_359_999n, 1_000_000n, 10_000n]) {
      const shown = (text: string) => Number(text.replaceAll(",", ""));
      expect(shown(shortCredits(credits))).toBe(shown(balanceText(credits)));
      expect(balanceText(-credits)).toBe(`−${balanceText(credits)}`);
    }
  });

  it("are written as the viewer writes numbers, and read as such", () => {
    onTestFinished(() => setLocale("en-GB"));
    setLocale("de-DE");
    expect(exactCredits(1_234_567_123_456n)).toBe("1.234.567,123456");
    expect(balanceText(16_486_200_000n)).toBe("16.486,20");
    expect(moneyText(120_000n, "USD")).toBe("1.200,00\u00a0USD");
    expect(shareText(55n, 100n)).toBe("55\u00a0%");
    expect(referenceText("1200.50 USD")).toBe("1.200,50\u00a0USD");
    expect(referenceText("4000 JPY")).toBe("4.000\u00a0JPY");
    expect(referenceText("1200.50 USD back")).toBe("1200.50 USD back");
    expect(enteredText("1234.567")).toBe("1234,567");
    expect(plainText("1.234,50")).toBe("1234.50");
    expect(plainText("10.50")).toBe("10.50");
    expect(dateText("UTC", Date.UTC(2026, 11, 1), Date.UTC(2026, 10, 1))).toBe("1. Dezember");
    setLocale("en-US");
    expect(dateText("UTC", Date.UTC(2026, 11, 1), Date.UTC(2026, 10, 1))).toBe("December 1");
    expect(plainText("1,234.50")).toBe("1234.50");
  });

  it("show the sign of a movement", () => {
    expect(signedCredits(10_000_000_000n)).toBe("+10,000");
    expect(signedCredits(-900_000_000n)).toBe("−900");
    expect(signedCredits(0n)).toBe("0");
  });

  it("show money with the decimals of its currency", () => {
    expect(moneyText(120_000n, "USD")).toBe("USD\u00a01,200.00");
    expect(moneyText(1500n, "JPY")).toBe("JPY\u00a01,500");
    expect(moneyText(5n, "KWD")).toBe("KWD\u00a00.005");
  });

  it("show counts and shares", () => {
    expect(countText(1_234_567n)).toBe("1,234,567");
    expect(countText(-1_000n)).toBe("−1,000");
    expect(shareText(55n, 100n)).toBe("55%");
    expect(shareText(1n, 100_000n)).toBe("under 1%");
    expect(shareText(0n, 100n)).toBe("0%");
    expect(shareText(1n, 0n)).toBe("0%");
  });
});

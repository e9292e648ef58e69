import { describe, expect, test } from "vitest";
import { looksLikeCardNumber } from "../../../shared/core/text/card-number.ts";

describe("looks like a card number", () => {
  test.each([
    ["4242424242424242"],
    ["4242 4242 4242 4242"],
    ["4242-4242-4242-4242"],
    ["3782 822463 10005"],
    [" 4242424242424242 "],
    ["123456789012"],
    ["1234567890123456789"],
  ])("%s", (text) => expect(looksLikeCardNumber(text)).toBe(true));
});

describe("does not", () => {
  test.each([
    ["pm_1NirD82eZvKYlo2CIvbtLWuy"],
    ["card_approve"],
    ["cus_123456789012"],
    ["12345678901"],
    ["12345678901234567890"],
    ["4242_4242_4242_4242"],
    [""],
  ])("%s", (text) => expect(looksLikeCardNumber(text)).toBe(false));
});

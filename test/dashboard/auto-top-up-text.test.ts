import { describe, expect, it } from "vitest";
import {
  ceilingsText,
  consentText,
  monthText,
  noMethodText,
} from "../../services/dashboard/text/auto-top-up-text.ts";
import { paidForText } from "../../services/dashboard/text/payment-text.ts";

const NOW = Date.parse("2026-11-28T13:00:00Z");
const amounts = {
  currency: "USD",
  limit_per_month: "50000",
  ceilings: {
    ...{ amount: "100000", limit_per_day: "200000", limit_per_month: "1000000" },
    defaults: { amount: true, limit_per_day: true, limit_per_month: true },
  },
  charged: { today: "0", this_month: "2000" },
};

describe("beside the switch of auto top-up stand", () => {
  it("what it can charge in a month, and what was charged", () => {
    expect(monthText(amounts)).toBe(
      "At most USD\u00a0500.00 a month; USD\u00a020.00 charged this month.",
    );
  });

  it("the seller's ceilings", () => {
    expect(ceilingsText(amounts)).toBe(
      "No more than USD\u00a01,000.00 at once, USD\u00a02,000.00 a day and USD\u00a010,000.00 a month can be set.",
    );
  });

  const at = "2026-11-20T08:00:00Z";
  it.each([
    [null, null],
    [{ by: "key:1", at, by_default: true }, "On since the account was created, 20 November."],
    [{ by: "token:acme", at, by_default: false }, "Set on this page, 20 November."],
    [{ by: "support", at, by_default: false }, "Set for you by support, 20 November."],
    [{ by: "seller", at, by_default: false }, "Set for you by the seller, 20 November."],
    [{ by: "customer", at, by_default: false }, "Set on this page, 20 November."],
  ])("who agreed to it: %j", (consent, said) => {
    expect(consentText(consent, "UTC", NOW)).toBe(said);
  });
});

describe("a payment is for", () => {
  it.each([
    ["top_up", true, "Automatic top-up"],
    ["top_up", false, "Top-up"],
    ["fee", true, "Plan"],
  ] as const)("%s, automatic %s: %s", (kind, automatic, said) => {
    expect(paidForText({ kind, automatic })).toBe(said);
  });
});

describe("that there is no payment method is said", () => {
  const missing = "There is no payment method; add one to pay.";
  it.each([
    ["once, where auto top-up has stopped for it", false, missing, null],
    ["where it has stopped for something else", false, "A top-up was refunded.", missing],
    ["where it has not stopped", false, null, missing],
    ["not where there is one", true, null, null],
  ])("%s", (_, hasMethod, stopped, text) => {
    expect(noMethodText(hasMethod, stopped)).toBe(text);
  });
});

import { describe, expect, it } from "vitest";
import { paidByTexts } from "../../services/dashboard/spend/paid-by-text.ts";
import type { LotOnLine } from "../../services/dashboard/state/lot-on-line.ts";
import { broughtText } from "../../services/dashboard/text/payment-text.ts";

describe("the outcome of a payment", () => {
  it.each([
    ["pending", "500000000", "will add 500 credits"],
    ["succeeded", "500000000", "added 500 credits"],
    ["failed", "500000000", "nothing charged"],
    ["pending", null, "on its way"],
    ["succeeded", null, "paid"],
    ["retrying", null, "will be tried again"],
    ["failed", null, "nothing charged"],
  ] as const)("%s, %s", (status, credits, said) => {
    expect(broughtText({ status, credits, currency: "USD", refunded: "0" })).toBe(said);
  });

  it("says what went back", () => {
    const paid = { status: "succeeded", credits: null, currency: "USD", refunded: "400" } as const;
    expect(broughtText(paid)).toBe("paid, USD\u00a04.00 refunded");
  });
});

describe("what paid for usage", () => {
  const welcome: LotOnLine = {
    ...{ lotId: "welcome", source: "promotion", reference: "welcome", start: 0n, end: 10n },
    ...{ grantedAt: 0, expiresAt: null },
  };
  const of = (lots: readonly [string, string][], owed = "0") =>
    paidByTexts(
      {
        lots: lots.map(([lot_id, credits]) => {
          return { lot_id, credits, source: "promotion", granted_by: null };
        }),
        owed,
      },
      [welcome],
      "UTC",
    ).map(({ credits, from }) => `${credits} ${from}`);

  it("names the lots, including one that no longer exists", () => {
    expect(
      of([
        ["spring", "2500000"],
        ["welcome", "1"],
      ]),
    ).toEqual(["2.5 from an earlier promotion", "0.000001 from Promotion, welcome"]);
  });

  it("names what is owed", () => {
    expect(of([["welcome", "1000000"]], "500000")).toEqual([
      "1 from Promotion, welcome",
      "0.5 owed: the next credits repay it",
    ]);
  });

  it("states that free usage cost nothing", () => {
    expect(of([])).toEqual(["0 credits: it cost nothing"]);
  });
});

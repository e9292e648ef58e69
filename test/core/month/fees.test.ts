/**
 * The money of a subscription, shown as bills: when each fell due, its amount and id, and for how many
 * periods of which plan.
 *
 * - a fee falls due as a paid stretch begins: every month, or once in twelve
 * - a price of 0 is no fee; a price that the catalogue has dropped still holds
 * - a dearer plan that takes effect immediately costs the difference for the rest of the paid stretch
 */
import { describe, expect, test } from "vitest";
import { priceAt } from "../../../shared/core/offer/catalogue.ts";
import { openPlay } from "./account-in-play.ts";

const BEGAN = "2026-01-10T08:00";
const LATER = "2026-01-20T00:00";

describe("a fee falls due", () => {
  test("immediately and at each turn, for one period, when paid monthly", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.settle("2026-03-01T00:00");
    expect(acme.bills()).toEqual([
      "2026-01-10T08:00Z 1000 USD fee:1:0 for 1 of small",
      "2026-02-01T00:00Z 1000 USD fee:1:1 for 1 of small",
      "2026-03-01T00:00Z 1000 USD fee:1:2 for 1 of small",
    ]);
    expect(acme.schedule().subscription).toMatchObject({ paidUntil: 3, paidPrice: 1000n });
  });

  test("as a whole, in its own currency", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    expect(acme.fees).toEqual([
      {
        paymentId: "fee:1:0",
        brings: null,
        number: 1,
        period: 0,
        periods: 1,
        planId: "small",
        amount: 1000n,
        currency: "USD",
        dueAt: Date.parse(`${BEGAN}Z`),
      },
    ]);
  });

  test("not a millisecond before the turn", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.settle("2026-01-31T23:59:59.999");
    expect(acme.bills()).toHaveLength(1);
  });

  test("once in twelve turns when paid yearly", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small", { interval: "year" });
    acme.settle("2028-02-01T00:00");
    expect(acme.granted).toHaveLength(26);
    expect(acme.bills()).toEqual([
      "2026-01-10T08:00Z 10000 USD fee:1:0 for 12 of small",
      "2027-01-01T00:00Z 10000 USD fee:1:12 for 12 of small",
      "2028-01-01T00:00Z 10000 USD fee:1:24 for 12 of small",
    ]);
  });

  test("for each unsettled turn, each at its own instant", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.use("2026-03-20T00:00", 1n);
    expect(acme.bills().slice(1)).toEqual([
      "2026-02-01T00:00Z 1000 USD fee:1:1 for 1 of small",
      "2026-03-01T00:00Z 1000 USD fee:1:2 for 1 of small",
    ]);
  });

  test("at the price of the turn's instant, whenever it is posted", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "dearer");
    acme.settle("2026-03-20T00:00");
    expect(acme.fees.map(({ amount }) => amount)).toEqual([1000n, 1000n, 1500n]);
  });

  test("by the planned plan and interval", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "medium");
    acme.changePlan(LATER, "small");
    acme.changeInterval(LATER, "year");
    acme.settle("2026-03-01T00:00");
    expect(acme.bills()).toEqual([
      "2026-01-10T08:00Z 2000 USD fee:1:0 for 1 of medium",
      "2026-02-01T00:00Z 10000 USD fee:1:1 for 12 of small",
    ]);
  });

  test("of a smaller plan only when the paid year is over", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "large", { interval: "year" });
    acme.changePlan(LATER, "small");
    acme.settle("2026-12-31T00:00");
    expect(acme.bills()).toHaveLength(1);
    expect(acme.schedule().subscription).toMatchObject({ planId: "small", paidPrice: 30_000n });
    acme.settle("2027-01-01T00:00");
    expect(acme.bills()[1]).toBe("2027-01-01T00:00Z 10000 USD fee:1:12 for 12 of small");
  });

  test("no longer once the subscription has ended; a new one has its own number", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.cancel(LATER);
    acme.subscribe("2026-02-01T00:00", "small");
    expect(acme.bills()).toEqual([
      "2026-01-10T08:00Z 1000 USD fee:1:0 for 1 of small",
      "2026-02-01T00:00Z 1000 USD fee:2:0 for 1 of small",
    ]);
  });

  test("never at a price of 0", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "free");
    acme.settle("2026-03-01T00:00");
    expect([acme.granted.length, acme.bills()]).toEqual([3, []]);
  });

  test("at the last price, when the catalogue has dropped it", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "dropped");
    acme.settle("2026-02-01T00:00");
    expect(acme.granted.at(-1)?.credits).toBe(150n);
    expect(acme.bills()[1]).toBe("2026-02-01T00:00Z 700 USD fee:1:1 for 1 of dropped");
  });
});

describe("the price of a plan", () => {
  const [early, late] = [Date.parse("2026-01-01"), Date.parse("2026-06-01")];
  const version = (validFrom: number, currency: string | null, monthly: bigint) => ({
    planId: "p",
    validFrom,
    credits: 1n,
    life: { kind: "usual" } as const,
    ...({ firstCredits: "when_paid", firstMonth: "whole" } as const),
    prices: currency === null ? [] : [{ currency, monthly, yearly: monthly * 10n }],
  });
  const catalogue = {
    plans: new Map([["p", [version(early, "USD", 5n), version(late, null, 0n)]]]),
    addOns: new Map(),
    creditPrices: new Map(),
  };

  test.each([
    { what: "holds from its instant on", at: early, currency: "USD", price: 5n },
    { what: "is none before", at: early - 1, currency: "USD", price: null },
    { what: "holds on when it is dropped", at: late, currency: "USD", price: 5n },
    { what: "is none in a currency that never was", at: late, currency: "EUR", price: null },
  ])("$what", ({ at, currency, price }) => {
    expect(priceAt(catalogue, "p", currency, "month", at)).toBe(price);
  });

  test("is the yearly price for a yearly interval, and none for an unknown plan", () => {
    expect(priceAt(catalogue, "p", "USD", "year", late)).toBe(50n);
    expect(priceAt(catalogue, "q", "USD", "year", late)).toBe(null);
  });
});

describe("a dearer plan", () => {
  test("costs the whole difference in a month, on its last day too", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.changePlan("2026-01-31T23:59", "large");
    acme.settle("2026-02-01T00:00");
    expect(acme.bills().slice(1)).toEqual([
      "2026-01-31T23:59Z 2000 USD fee:1:0:3000 for 1 of large",
      "2026-02-01T00:00Z 3000 USD fee:1:1 for 1 of large",
    ]);
  });

  test("costs five twelfths of the difference in month 7 of a year, and all of it from the next year", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small", { interval: "year" });
    acme.changePlan("2026-08-05T00:00", "large");
    expect(acme.schedule().subscription).toMatchObject({ period: 7, paidPrice: 30_000n });
    acme.settle("2027-01-01T00:00");
    expect(acme.bills().slice(1)).toEqual([
      "2026-08-05T00:00Z 8333 USD fee:1:7:30000 for 5 of large",
      "2027-01-01T00:00Z 30000 USD fee:1:12 for 12 of large",
    ]);
  });

  test("changed back and forth costs the largest plan once, in a month and in a year", () => {
    for (const [interval, parts] of [
      ["month", [1000n, 1000n]],
      ["year", [4166n, 4166n]],
    ] as const) {
      const acme = openPlay();
      acme.subscribe(BEGAN, "small", { interval });
      acme.settle("2026-08-05T00:00");
      const before = acme.fees.length;
      for (const plan of ["medium", "small", "medium", "large", "small", "medium", "large"]) {
        acme.changePlan("2026-08-05T00:00", plan);
      }
      expect(acme.fees.slice(before).map(({ amount }) => amount)).toEqual(parts);
    }
  });

  test("costs nothing more in a later month of the same year, and again in the next year", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small", { interval: "year" });
    acme.changePlan("2026-03-05T00:00", "large");
    acme.changePlan("2026-03-05T00:00", "small");
    acme.changePlan("2026-05-05T00:00", "large");
    expect(acme.bills()).toHaveLength(2);
    acme.changePlan("2026-12-05T00:00", "small");
    acme.changePlan("2027-02-05T00:00", "large");
    expect(acme.bills().slice(2)).toEqual([
      "2027-01-01T00:00Z 10000 USD fee:1:12 for 12 of small",
      "2027-02-05T00:00Z 18333 USD fee:1:13:30000 for 11 of large",
    ]);
  });

  test("is compared with what was charged, not with the plan's current price", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "dearer", { interval: "year" });
    acme.changePlan("2026-03-05T00:00", "medium");
    expect(acme.bills()[1]).toBe("2026-03-05T00:00Z 8333 USD fee:1:2:20000 for 10 of medium");
  });

  test("rounds down in the customer's favour, to no fee where nothing is left", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small", { interval: "year" });
    acme.changePlan("2026-03-05T00:00", "penny");
    expect(acme.bills()).toHaveLength(1);
    expect(acme.schedule().subscription).toMatchObject({ planId: "penny", paidPrice: 10_001n });
    acme.changePlan("2026-03-05T00:00", "odd");
    expect(acme.bills()[1]).toBe("2026-03-05T00:00Z 5 USD fee:1:2:10007 for 10 of odd");
  });

  test("with more credits at a smaller price is free until the next paid stretch", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.changePlan(LATER, "cheap");
    expect(acme.schedule().subscription).toMatchObject({ planId: "cheap", paidPrice: 1000n });
    acme.settle("2026-02-01T00:00");
    expect(acme.bills().slice(1)).toEqual(["2026-02-01T00:00Z 1 USD fee:1:1 for 1 of cheap"]);
  });

  test("that takes effect immediately costs the difference, even where it grants no credits", () => {
    const acme = openPlay();
    acme.subscribe("2026-03-10T00:00", "shrinking");
    acme.changePlan("2026-03-20T00:00", "precious");
    expect(acme.granted).toHaveLength(1);
    expect(acme.bills()[1]).toBe("2026-03-20T00:00Z 500 USD fee:1:0:2500 for 1 of precious");
  });

  test("that is planned costs nothing yet", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "free");
    acme.changePlan(LATER, "small");
    expect(acme.bills()).toEqual([]);
    acme.settle("2026-02-01T00:00");
    expect(acme.bills()).toEqual(["2026-02-01T00:00Z 1000 USD fee:1:1 for 1 of small"]);
  });
});

test("that is refused costs nothing", () => {
  const acme = openPlay();
  acme.subscribe(BEGAN, "small");
  for (const plan of ["small", "none", "euro"]) acme.changePlan(LATER, plan);
  acme.subscribe(LATER, "large");
  expect(acme.bills()).toHaveLength(1);
});

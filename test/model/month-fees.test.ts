/**
 * Tables worked out by hand, as in month-model.test.ts:
 *
 * - fees: as a paid stretch begins, and the difference to a dearer plan for the rest of it
 * - given up: months without credits, charges and fees; paid: what was charged is granted after all
 */
import { describe, expect, test } from "vitest";
import { at, openWorld, type World } from "./month-world.ts";

describe("a fee falls due", () => {
  test("each month, or once a year, at the price of that time", () => {
    const monthly = openWorld();
    monthly.subscribe("dropped", "2025-01-15T10:00Z");
    monthly.settle("2025-02-01");
    expect(monthly.fees()).toEqual([
      "fee:1:0 1000 for 1 of dropped 2025-01-15T10:00Z",
      "fee:1:1 1000 for 1 of dropped 2025-02-01",
    ]);
    const yearly = openWorld();
    yearly.subscribe("small", "2025-01-15T10:00Z", { interval: "year" });
    yearly.settle("2026-01-01");
    expect(yearly.fees()).toEqual([
      "fee:1:0 10000 for 12 of small 2025-01-15T10:00Z",
      "fee:1:12 10000 for 12 of small 2026-01-01",
    ]);
  });

  test("not where the price is 0", () => {
    const world = openWorld();
    world.subscribe("free", "2025-01-15T10:00Z");
    world.settle("2025-03-01");
    expect(world.fees()).toEqual([]);
  });

  test("for a dearer plan: the difference, for a year in proportion to what is left, rounded down", () => {
    const monthly = openWorld();
    monthly.subscribe("small", "2025-01-15T10:00Z");
    for (const plan of ["dear", "small", "dear"]) monthly.changePlan(plan, "2025-01-31");
    expect(monthly.fees().slice(1)).toEqual(["fee:1:0:1700 700 for 1 of dear 2025-01-31"]);
    const yearly = openWorld();
    yearly.subscribe("small", "2025-01-15T10:00Z", { interval: "year" });
    yearly.changePlan("dear", "2025-08-15");
    // 7001 * 5 / 12 = 2917 and 1 / 12
    expect(yearly.fees().slice(1)).toEqual(["fee:1:7:17001 2917 for 5 of dear 2025-08-15"]);
  });
});

describe("a fee that is given up", () => {
  test("leaves months without credits and fees, and refuses additions", () => {
    const world = owing("month");
    expect(world.feeGivenUp("2025-02-18")).toBe("no_change");
    expect(world.changePlan("big", "2025-03-05")).toBe("subscription_suspended");
    expect(world.setAddOn("voice", 2, "2025-03-05")).toBe("subscription_suspended");
    expect(world.model.changeInterval("acme", "year", at("2025-03-05"))).toBe(
      "subscription_suspended",
    );
    expect(world.fees().length).toBe(2);
    expect(world.entries().slice(3)).toEqual([]);
  });

  test("and paid months later, brings the current month's credits again", () => {
    const world = owing("month");
    expect(world.feePaid("2025-05-20")).toBe("restored");
    expect(world.feePaid("2025-05-20")).toBe("no_change");
    expect(world.lots().slice(2)).toEqual(["plan:1:4 100/100 2025-05-20..2025-07-01"]);
    expect(world.fees().slice(2)).toEqual(["fee:1:4 1000 for 1 of small 2025-05-20"]);
    expect(world.model.account("acme").dueCharges).toMatchObject([
      { period: 1, units: 1 },
      { period: 4, units: 1 },
    ]);
  });

  test("and paid within the year: the months charged for are granted", () => {
    const world = owing("year");
    expect(world.feePaid("2025-05-20")).toBe("restored");
    expect(world.lots().slice(2)).toEqual([
      "plan:1:2 100/100 2025-05-20..2025-07-20",
      "plan:1:3 100/100 2025-05-20..2025-07-20",
      "plan:1:4 100/100 2025-05-20..2025-07-01",
    ]);
    expect(world.fees().length).toBe(1);
  });

  test("and paid after it was cancelled and over: it ends, and costs nothing more", () => {
    const world = owing("month");
    world.model.cancel("acme", at("2025-03-05"));
    expect(world.feePaid("2025-03-06")).toBe("restored, ended");
    expect(world.model.account("acme").subscription).toBe(null);
    expect(world.fees().length).toBe(2);
  });
});

/** Subscribed in January with an add-on; a fee is given up in February. */
function owing(interval: "month" | "year"): World {
  const world = openWorld();
  world.subscribe("small", "2025-01-15T10:00Z", { interval });
  world.setAddOn("voice", 1, "2025-01-15T10:00Z");
  expect(world.feeGivenUp("2025-02-17")).toBe("suspended");
  return world;
}

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
    expect(world.lots().slice(2)).toEqual(["plan:1:4 100/100 2025-05-20..2025-07-20"]);
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
      "plan:1:4 100/100 2025-05-20..2025-07-20",
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

describe("credits that wait for their fee", () => {
  test("come when it is paid, with their life counted from then, and not before", () => {
    const world = openWorld();
    world.subscribe("paid-first", "2025-01-15T10:00Z");
    expect([world.lots(), world.balance()]).toEqual([[], 0n]);
    expect(world.changePlan("big", "2025-01-16")).toBe("subscription_suspended");
    expect(world.payFee("fee:1:0", "2025-01-18")).toBe("started");
    expect(world.payFee("fee:1:0", "2025-01-19")).toBe("no_change");
    world.settle("2025-02-01");
    expect(world.lots()).toEqual([
      "plan:1:0 100/100 2025-01-18..2025-03-18",
      "plan:1:1 100/100 2025-02-01..2025-04-01",
    ]);
  });

  test("and hold back the months that begin meanwhile", () => {
    const world = openWorld();
    world.subscribe("paid-first", "2025-01-31T10:00Z");
    world.settle("2025-02-01");
    expect(world.lots()).toEqual([]);
    expect(world.payFee("fee:1:0", "2025-02-02")).toBe("started");
    expect(world.lots().map((lot) => lot.slice(0, 16))).toEqual([
      "plan:1:0 100/100",
      "plan:1:1 100/100",
    ]);
    expect(world.fees().length).toBe(2);
  });

  test("so does the difference to a larger plan", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    expect(world.changePlan("more-paid-first", "2025-01-20")).toBe("plan_changed");
    expect(world.balance()).toBe(100n);
    expect(world.payFee("fee:1:0:3100", "2025-01-21")).toBe("raise_paid");
    expect(world.lots().slice(1)).toEqual(["plan:1:0:310 210/210 2025-01-21..2025-03-21"]);
  });
});

describe("the first part of a month by its days", () => {
  test("costs and brings its share, rounded down; the whole month exactly the whole", () => {
    const world = openWorld();
    world.subscribe("by-days", "2025-01-15T10:00Z");
    // 17 of 31 days: 1000 * 17 / 31 = 548.4, 100 * 17 / 31 = 54.8
    expect(world.fees()).toEqual(["fee:1:0 548 for 1 of by-days 2025-01-15T10:00Z"]);
    expect(world.balance()).toBe(54n);
    const whole = openWorld();
    whole.subscribe("by-days", "2025-01-01T23:00Z");
    expect([whole.fees()[0]?.slice(0, 12), whole.balance()]).toEqual(["fee:1:0 1000", 100n]);
  });

  test("of a year: eleven months and the share of one", () => {
    const world = openWorld();
    world.subscribe("by-days", "2025-01-31T10:00Z", { interval: "year" });
    // 10000 * (11 * 31 + 1) / (12 * 31) = 9193.5
    expect(world.fees()[0]).toBe("fee:1:0 9193 for 12 of by-days 2025-01-31T10:00Z");
  });

  test("of a raise: the share that was begun with", () => {
    const world = openWorld();
    world.subscribe("by-days", "2025-01-22T10:00Z");
    world.changePlan("more-by-days", "2025-01-30");
    // 10 of 31 days: (3100 - 1000) * 10 / 31 = 677.4; 310 * 10 / 31 = 100, of which 32 came before
    expect(world.fees()[1]).toBe("fee:1:0:3100 677 for 1 of more-by-days 2025-01-30");
    expect(world.balance()).toBe(100n);
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

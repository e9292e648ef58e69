/**
 * Tables worked out by hand, as in month-model.test.ts:
 *
 * - plans: more immediately, fewer from the next month, never credits without limit
 * - what is paid runs to its end: cancelled, resumed, yearly, monthly
 * - add-ons: a period is paid once, a turn's charge after its expiries
 * - a changed time zone: each month once, none missed
 * - what is refused changes nothing
 */
import { describe, expect, test } from "vitest";
import { at, day, openWorld, type World } from "./month-world.ts";

describe("a plan", () => {
  test("with more credits grants the difference immediately, for two calendar months", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    expect(world.changePlan("big", "2025-01-31T12:00Z")).toBe("plan_changed");
    world.settle("2025-02-01");
    expect(world.lots()).toEqual([
      "plan:1:0 100/100 2025-01-15T10:00Z..2025-03-15T10:00Z",
      "plan:1:0:300 200/200 2025-01-31T12:00Z..2025-03-31T12:00Z",
      "plan:1:1 300/300 2025-02-01..2025-04-01",
    ]);
  });

  test("with fewer credits takes effect from the next month", () => {
    const world = openWorld();
    world.subscribe("big", "2025-01-15T10:00Z");
    expect(world.changePlan("small", "2025-01-16T10:00Z")).toBe("plan_change_planned");
    expect(world.balance()).toBe(300n);
    world.settle("2025-02-01");
    expect(world.balance()).toBe(400n);
    expect(world.model.account("acme").subscription).toMatchObject({
      planId: "small",
      nextPlanId: null,
      periodCredits: 100n,
    });
  });

  test("switched back and forth within one month grants no more than the larger plan", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    const ask = (planId: string) => world.changePlan(planId, "2025-01-20T10:00Z");
    expect(
      ["big", "small", "big", "small", "mid", "huge", "big", "small", "huge"].map(ask),
    ).toEqual([
      "plan_changed",
      "plan_change_planned",
      "plan_change_planned",
      "plan_change_planned",
      "plan_change_planned",
      "plan_changed",
      "plan_change_planned",
      "plan_change_planned",
      "plan_change_planned",
    ]);
    expect(world.lots()).toEqual([
      "plan:1:0 100/100 2025-01-15T10:00Z..2025-03-15T10:00Z",
      "plan:1:0:300 200/200 2025-01-20T10:00Z..2025-03-20T10:00Z",
      "plan:1:0:1000 700/700 2025-01-20T10:00Z..2025-03-20T10:00Z",
    ]);
    world.settle("2025-02-01");
    expect(world.balance()).toBe(2_000n);
  });

  test("is compared with its current credits and with what the period has received", () => {
    const shrunk = openWorld();
    shrunk.subscribe("shrinking", "2025-01-15T10:00Z");
    expect(shrunk.changePlan("mid", "2025-01-25")).toBe("plan_changed");
    expect(shrunk.balance()).toBe(300n);
    shrunk.settle("2025-02-01");
    expect(shrunk.balance()).toBe(500n);

    const grown = openWorld();
    grown.subscribe("growing", "2025-01-15T10:00Z");
    expect(grown.changePlan("mid", "2025-01-25")).toBe("plan_changed");
    expect(grown.balance()).toBe(200n);
    expect(grown.changePlan("growing", "2025-01-26")).toBe("plan_changed");
    expect(grown.balance()).toBe(250n);
    grown.settle("2025-02-01");
    expect(grown.balance()).toBe(500n);
  });

  test("changed at the very instant of a turn takes effect after it", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.changePlan("big", "2025-02-01");
    expect(world.entries().slice(1)).toEqual([
      "grant 100 plan:1:1 2025-02-01",
      "grant 200 plan:1:1:300 2025-02-01",
    ]);
  });

  test("grants at a turn the credits of its version at that time", () => {
    const world = openWorld();
    world.subscribe("growing", "2025-01-15T10:00Z");
    world.settle("2025-02-01");
    expect(world.entries()).toEqual([
      "grant 100 plan:1:0 2025-01-15T10:00Z",
      "grant 250 plan:1:1 2025-02-01",
    ]);
  });
});

describe("what is paid runs to its end", () => {
  test("cancelled in its first month, a monthly subscription ends with it", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    expect(world.model.cancel("acme", at("2025-01-20"))).toBe("cancelled");
    world.settle("2025-06-01");
    expect(world.model.account("acme").subscription).toBe(null);
    expect(world.balance()).toBe(100n);
  });

  test("cancelled in its second month, a yearly one has twelve months' credits", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z", { interval: "year" });
    world.model.cancel("acme", at("2025-02-20"));
    world.settle("2025-12-31");
    expect(world.balance()).toBe(1_200n);
    world.settle("2026-06-01");
    expect(world.balance()).toBe(1_200n);
    expect(world.lots().at(-1)).toBe("plan:1:11 100/100 2025-12-01..2026-02-01");
  });

  test("cancelled and resumed within one month, nothing is lost", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.setAddOn("voice", 1, "2025-01-15T10:00Z");
    const outcomes = [
      world.model.resume("acme", at("2025-01-20")),
      world.model.cancel("acme", at("2025-01-20")),
      world.model.cancel("acme", at("2025-01-21")),
      world.model.resume("acme", at("2025-01-22")),
      world.model.resume("acme", at("2025-01-23")),
    ];
    expect(outcomes).toEqual([
      "not_cancelled",
      "cancelled",
      "already_cancelled",
      "resumed",
      "not_cancelled",
    ]);
    world.settleComplete("2025-02-10");
    expect(world.balance()).toBe(180n);
  });

  test("switched to monthly in month 7, a year still has its twelve months", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z", { interval: "year" });
    const outcome = world.model.changeInterval("acme", "month", at("2025-08-10"));
    expect(outcome).toBe("interval_change_planned");
    world.settle("2025-12-31");
    expect(world.model.account("acme").subscription).toMatchObject({
      interval: "year",
      nextInterval: "month",
      period: 11,
      paidUntil: 12,
    });
    world.settle("2026-01-01");
    expect(world.model.account("acme").subscription).toMatchObject({
      interval: "month",
      nextInterval: null,
      period: 12,
      paidUntil: 13,
    });
    world.model.cancel("acme", at("2026-01-02"));
    world.settle("2026-03-01");
    expect(world.lots().length).toBe(13);
  });

  test("switched to yearly and back before it takes effect, it stays monthly", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    const ask = (interval: "month" | "year") =>
      world.model.changeInterval("acme", interval, at("2025-01-20"));
    expect([ask("month"), ask("year"), ask("year"), ask("month"), ask("year")]).toEqual([
      "no_change",
      "interval_change_planned",
      "no_change",
      "interval_change_planned",
      "interval_change_planned",
    ]);
    world.settle("2025-02-01");
    expect(world.model.account("acme").subscription).toMatchObject({ period: 1, paidUntil: 13 });
  });

  test("subscribed again after the end, it is a new subscription, and old charges stay due", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.setAddOn("voice", 2, "2025-01-15T10:00Z");
    world.settle("2025-02-01");
    world.model.cancel("acme", at("2025-02-02"));
    expect(world.subscribe("mid", "2025-02-28T23:59Z")).toBe("already_subscribed");
    expect(world.subscribe("mid", "2025-03-01")).toBe("subscribed");
    world.settleComplete("2025-03-03");
    expect(world.entries()).toEqual([
      "grant 100 plan:1:0 2025-01-01",
      "add_on_charge -20 add-on:voice:1:0:0-2 2025-01-15T10:00Z",
      "grant 100 plan:1:1 2025-02-01",
      "grant 200 plan:2:0 2025-03-01",
      "add_on_charge -20 add-on:voice:1:1:0-2 2025-02-01",
      "expiry -60 plan:1:0 2025-03-01",
    ]);
    expect(world.model.account("acme").addOns).toEqual([]);
  });
});

describe("an add-on", () => {
  test("activated on the last day is charged for it, and for the next month after the grace", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    expect(world.setAddOn("voice", 2, "2025-01-31T23:00Z")).toBe("add_on_changed");
    expect(world.balance()).toBe(80n);
    world.settleComplete("2025-02-01T00:14:59Z");
    expect(world.balance()).toBe(180n);
    expect(world.model.account("acme").dueCharges).toEqual([
      {
        addOnId: "voice",
        subscription: 1,
        period: 1,
        units: 2,
        credits: 20n,
        dueAt: at("2025-02-01"),
      },
    ]);
    world.settleComplete("2025-02-01T00:15Z");
    expect(world.balance()).toBe(160n);
    expect(world.entries().at(-1)).toBe("add_on_charge -20 add-on:voice:1:1:0-2 2025-02-01");
  });

  test("is charged once in a period, however units come and go", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    const ask = (quantity: number) => world.setAddOn("voice", quantity, "2025-01-20");
    expect([1, 3, 1, 1, 2, 3, 3, 0, 3, 4, 0, 2].map(ask)).toEqual([
      "add_on_changed",
      "add_on_changed",
      "add_on_change_planned",
      "no_change",
      "add_on_change_planned",
      "add_on_change_planned",
      "no_change",
      "add_on_change_planned",
      "add_on_change_planned",
      "add_on_changed",
      "add_on_change_planned",
      "add_on_change_planned",
    ]);
    expect(world.entries().slice(1)).toEqual([
      "add_on_charge -10 add-on:voice:1:0:0-1 2025-01-20",
      "add_on_charge -20 add-on:voice:1:0:1-3 2025-01-20",
      "add_on_charge -10 add-on:voice:1:0:3-4 2025-01-20",
    ]);
    world.settleComplete("2025-02-10");
    expect(world.entries().at(-1)).toBe("add_on_charge -20 add-on:voice:1:1:0-2 2025-02-01");
  });

  test("cancelled lasts to the month's end", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.setAddOn("voice", 1, "2025-01-15T10:00Z");
    world.setAddOn("voice", 0, "2025-01-16");
    expect(world.model.account("acme").addOns).toEqual([
      { addOnId: "voice", quantity: 1, nextQuantity: 0 },
    ]);
    world.settleComplete("2025-02-10");
    expect(world.model.account("acme").addOns).toEqual([]);
    expect(world.balance()).toBe(190n);
    expect(world.setAddOn("voice", 0, "2025-02-10")).toBe("no_change");
  });

  test("with more units while the turn's charge waits is charged for the additional ones immediately", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.setAddOn("voice", 2, "2025-01-15T10:00Z");
    world.setAddOn("voice", 3, "2025-02-01T00:05Z");
    world.settleComplete("2025-02-01T00:15Z");
    expect(world.entries().slice(2)).toEqual([
      "grant 100 plan:1:1 2025-02-01",
      "add_on_charge -10 add-on:voice:1:1:2-3 2025-02-01T00:05Z",
      "add_on_charge -20 add-on:voice:1:1:0-2 2025-02-01",
    ]);
  });

  test("with more units within the grace is charged to no lot that has ended", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.setAddOn("voice", 1, "2025-02-01T00:05Z");
    world.setAddOn("voice", 2, "2025-03-01T00:05Z");
    expect(world.entries().slice(3)).toEqual([
      "grant 100 plan:1:2 2025-03-01",
      "expiry -90 plan:1:0 2025-03-01",
      "add_on_charge -10 add-on:voice:1:2:0-1 2025-03-01",
      "add_on_charge -10 add-on:voice:1:2:1-2 2025-03-01T00:05Z",
    ]);
    world.use(90n, "2025-02-28T23:50Z", "2025-03-01T00:10Z");
    expect(world.balance()).toBe(180n);
  });

  test("is never charged to an expired lot; charges are sorted by id, at the turn's price", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.setAddOn("voice", 1, "2025-01-20");
    world.setAddOn("base", 1, "2025-01-20");
    world.settleComplete("2025-03-01T00:20Z");
    expect(world.entries().slice(3)).toEqual([
      "grant 100 plan:1:1 2025-02-01",
      "add_on_charge -9 add-on:base:1:1:0-1 2025-02-01",
      "add_on_charge -10 add-on:voice:1:1:0-1 2025-02-01",
      "grant 100 plan:1:2 2025-03-01",
      "expiry -64 plan:1:0 2025-03-01",
      "add_on_charge -9 add-on:base:1:2:0-1 2025-03-01",
      "add_on_charge -10 add-on:voice:1:2:0-1 2025-03-01",
    ]);
    expect(world.lots()[1]).toBe("plan:1:1 100/81 2025-02-01..2025-04-01");
  });

  test("is charged whether or not the balance covers it, and publishes a low balance", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.setAddOn("voice", 11, "2025-01-20");
    expect(world.balance()).toBe(-10n);
    expect(world.lowBalances()).toEqual(["entry:2 at -10"]);
    world.settle("2025-02-01");
    expect(world.balance()).toBe(90n);
    world.settleComplete("2025-02-01T00:15Z");
    expect(world.balance()).toBe(-20n);
    expect(world.lowBalances()).toEqual(["entry:2 at -10", "entry:4 at -20"]);
  });
});

describe("a changed time zone", () => {
  const MOVES: {
    what: string;
    from: string;
    to: string;
    when: string;
    turns: string[];
  }[] = [
    {
      what: "far ahead in mid-month",
      from: "UTC",
      to: "Pacific/Kiritimati",
      when: "2025-01-20",
      turns: ["2025-01-31T10:00Z", "2025-02-28T10:00Z"],
    },
    {
      what: "far behind in mid-month",
      from: "UTC",
      to: "Pacific/Pago_Pago",
      when: "2025-01-20",
      turns: ["2025-02-01T11:00Z", "2025-03-01T11:00Z"],
    },
    {
      what: "to where the next month has already begun: immediately",
      from: "UTC",
      to: "Pacific/Kiritimati",
      when: "2025-01-31T12:00Z",
      turns: ["2025-01-31T12:00Z", "2025-02-28T10:00Z"],
    },
    {
      what: "to where the current month has not begun yet: not again",
      from: "Pacific/Kiritimati",
      to: "Pacific/Pago_Pago",
      when: "2025-01-31T12:00Z",
      turns: ["2025-01-31T10:00Z", "2025-03-01T11:00Z"],
    },
    {
      what: "at the very instant of the turn: after it",
      from: "UTC",
      to: "Pacific/Kiritimati",
      when: "2025-02-01",
      turns: ["2025-02-01", "2025-02-28T10:00Z"],
    },
  ];
  test.each(MOVES)("$what", ({ from, to, when, turns }) => {
    const world = openWorld({ timeZone: from });
    world.subscribe("small", "2025-01-15T10:00Z");
    expect(world.model.changeTimeZone("acme", to, at(when))).toBe("time_zone_changed");
    world.settle("2025-03-02");
    expect(turnsOf(world)).toEqual(turns);
  });

  test("back and forth grants no month twice", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    for (const minute of ["01", "02", "03", "04"]) {
      world.model.changeTimeZone("acme", "Pacific/Kiritimati", at(`2025-01-31T12:${minute}Z`));
      world.model.changeTimeZone("acme", "Pacific/Pago_Pago", at(`2025-01-31T12:${minute}:30Z`));
    }
    world.settle("2025-03-02");
    expect(turnsOf(world)).toEqual(["2025-01-31T12:01Z", "2025-03-01T11:00Z"]);
  });

  test("keeps the expiry of lots", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.model.changeTimeZone("acme", "Asia/Kolkata", at("2025-01-20"));
    world.settle("2025-02-01");
    expect(world.lots()).toEqual([
      "plan:1:0 100/100 2025-01-15T10:00Z..2025-03-15T10:00Z",
      "plan:1:1 100/100 2025-01-31T18:30Z..2025-03-31T18:30Z",
    ]);
  });

  function turnsOf(world: World): string[] {
    const { lots } = world.model.account("acme");
    return lots.slice(1).map(({ grantedAt }) => day(grantedAt));
  }
});

describe("a refused change changes nothing", () => {
  const now = at("2025-01-20");
  const CASES: { why: string; ask: (world: World) => string }[] = [
    { why: "unknown_plan", ask: (world) => world.changePlan("gold", "2025-01-20") },
    { why: "unknown_plan", ask: (world) => world.changePlan("from-february", "2025-01-20") },
    { why: "no_plan_price", ask: (world) => world.changePlan("euros-only", "2025-01-20") },
    { why: "no_change", ask: (world) => world.changePlan("small", "2025-01-20") },
    { why: "already_subscribed", ask: (world) => world.subscribe("mid", "2025-01-20") },
    { why: "unknown_add_on", ask: (world) => world.setAddOn("gold", 1, "2025-01-20") },
    { why: "invalid_quantity", ask: (world) => world.setAddOn("voice", -1, "2025-01-20") },
    { why: "invalid_quantity", ask: (world) => world.setAddOn("voice", 1.5, "2025-01-20") },
    { why: "invalid_quantity", ask: (world) => world.setAddOn("voice", 1_000_001, "2025-01-20") },
    { why: "overflow", ask: (world) => world.setAddOn("dear", 2, "2025-01-20") },
    { why: "overflow", ask: (world) => world.changePlan("endless", "2025-01-20") },
    { why: "no_change", ask: (world) => world.model.changeTimeZone("acme", "UTC", now) },
    {
      why: "unknown_time_zone",
      ask: (world) => world.model.changeTimeZone("acme", "Mars/Olympus_Mons", now),
    },
    {
      why: "unknown_lot",
      ask: (world) => world.model.withdraw("acme", { lotId: "gift", credits: 1n }, now),
    },
    {
      why: "already_ended",
      ask: (world) =>
        world.model.grant("acme", { lotId: "g", credits: 1n, end: { kind: "at", at: now } }, now),
    },
  ];
  test.each(CASES)("$why", ({ why, ask }) => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    const gift = { lotId: "one", credits: 1n, end: { kind: "never" } } as const;
    world.model.grant("acme", gift, at("2025-01-15T10:00Z"));
    const before = world.model.account("acme");
    expect(ask(world)).toBe(why);
    expect(world.model.account("acme")).toEqual(before);
  });

  test("without a subscription", () => {
    const world = openWorld();
    expect([
      world.changePlan("small", "2025-01-20"),
      world.setAddOn("voice", 1, "2025-01-20"),
      world.model.changeInterval("acme", "year", now),
      world.model.cancel("acme", now),
      world.model.resume("acme", now),
    ]).toEqual(Array(5).fill("no_subscription"));
  });

  test("a turn is never refused: it grants what fits", () => {
    const world = openWorld();
    world.subscribe("endless", "2025-01-15T10:00Z");
    world.use(5n, "2025-01-16");
    world.settle("2025-02-01");
    expect(world.balance()).toBe(9_223_372_036_854_775_802n);
    expect(world.entries().length).toBe(1);
  });
});

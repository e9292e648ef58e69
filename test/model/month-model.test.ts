/**
 * Tables worked out by hand from the rules of the month, not by running the model: they are what the
 * model is checked against.
 *
 * - turns: the first instant of the day on the zone's wall clock, counted from the anchor
 * - credits roll over, oldest first: a turn's expire as the second period after their own begins, all
 *   others two calendar months after they were granted
 * - turns follow the clock; expiries and turns' charges follow what usage is known
 * - settling is one movement
 */
import { describe, expect, test } from "vitest";
import { at, day, openWorld } from "./month-world.ts";

describe("the month turns", () => {
  test.each([
    {
      what: "on the first, whatever day it began",
      given: "2025-01-15T10:00Z first_of_month UTC",
      turns: ["2025-02-01", "2025-03-01", "2025-04-01"],
    },
    {
      what: "on the first, also when begun in the last hour of a month",
      given: "2025-01-31T23:30Z first_of_month UTC",
      turns: ["2025-02-01", "2025-03-01", "2025-04-01"],
    },
    {
      what: "on the 31st or else the month's last day",
      given: "2025-01-31T10:00Z day_of_month UTC",
      turns: ["2025-02-28", "2025-03-31", "2025-04-30"],
    },
    {
      what: "on the 30th or else the month's last day",
      given: "2025-01-30T10:00Z day_of_month UTC",
      turns: ["2025-02-28", "2025-03-30", "2025-04-30"],
    },
    {
      what: "on the 29th or else the month's last day",
      given: "2025-01-29T10:00Z day_of_month UTC",
      turns: ["2025-02-28", "2025-03-29", "2025-04-29"],
    },
    {
      what: "on the 29th of a leap year's February",
      given: "2024-01-31T10:00Z day_of_month UTC",
      turns: ["2024-02-29", "2024-03-31", "2024-04-30"],
    },
    {
      what: "on the 29th again after a leap day, but for the next February",
      given: "2024-11-29T10:00Z day_of_month UTC",
      turns: ["2024-12-29", "2025-01-29", "2025-02-28", "2025-03-29"],
    },
    {
      what: "far ahead of UTC",
      given: "2025-01-15T10:00Z first_of_month Pacific/Kiritimati",
      turns: ["2025-01-31T10:00Z", "2025-02-28T10:00Z", "2025-03-31T10:00Z"],
    },
    {
      what: "far behind UTC",
      given: "2025-01-15T10:00Z first_of_month Pacific/Pago_Pago",
      turns: ["2025-02-01T11:00Z", "2025-03-01T11:00Z", "2025-04-01T11:00Z"],
    },
    {
      what: "half an hour off, where the next month has begun before UTC's",
      given: "2025-01-31T19:00Z first_of_month Asia/Kolkata",
      turns: ["2025-02-28T18:30Z", "2025-03-31T18:30Z"],
    },
    {
      what: "by summer time where it holds",
      given: "2025-01-15T10:00Z first_of_month Europe/Berlin",
      turns: ["2025-01-31T23:00Z", "2025-02-28T23:00Z", "2025-03-31T22:00Z"],
    },
    {
      what: "by a summer time of half an hour",
      given: "2025-02-10T10:00Z first_of_month Australia/Lord_Howe",
      turns: ["2025-02-28T13:00Z", "2025-03-31T13:00Z", "2025-04-30T13:30Z"],
    },
    {
      what: "at one where the clock skips midnight of the first",
      given: "2023-09-15T10:00Z first_of_month America/Asuncion",
      turns: ["2023-10-01T04:00Z", "2023-11-01T03:00Z"],
    },
    {
      what: "at one where the clock skips midnight of its day",
      given: "2025-03-25T10:00Z day_of_month Africa/Cairo",
      turns: ["2025-04-24T22:00Z", "2025-05-24T21:00Z"],
    },
    {
      what: "at the first of two midnights",
      given: "2026-10-10T10:00Z first_of_month America/Havana",
      turns: ["2026-11-01T04:00Z", "2026-12-01T05:00Z"],
    },
    {
      what: "once, where the clock goes back behind midnight",
      given: "2009-10-10T10:00Z first_of_month America/St_Johns",
      turns: ["2009-11-01T02:30Z", "2009-12-01T03:30Z"],
    },
    {
      what: "a month after one that had begun, though the clock showed the old one again",
      given: "2009-11-01T02:45Z first_of_month America/St_Johns",
      turns: ["2009-12-01T03:30Z", "2010-01-01T03:30Z"],
    },
    {
      what: "as the next day begins where the calendar skips its own",
      given: "2011-11-30T20:00Z day_of_month Pacific/Apia",
      turns: ["2011-12-30T10:00Z", "2012-01-29T10:00Z"],
    },
  ])("$what", ({ given, turns }) => {
    const [subscribedAt = "", renewal, timeZone = ""] = given.split(" ");
    const world = openWorld({ timeZone });
    world.subscribe("small", subscribedAt, {
      renewal: renewal === "day_of_month" ? "day_of_month" : "first_of_month",
    });
    world.settle(turns.at(-1) ?? "");
    const { lots } = world.model.account("acme");
    expect(lots.map(({ lotId }) => lotId)).toEqual(
      Array.from({ length: turns.length + 1 }, (_, period) => `plan:1:${period}`),
    );
    expect(lots.slice(1).map(({ grantedAt }) => day(grantedAt))).toEqual(turns);
    world.model.settle("acme", at(turns.at(-1) ?? "") + 1);
    expect(world.model.account("acme").lots.length).toBe(turns.length + 1);
  });

  test("not a millisecond too early", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.settle("2025-01-31T23:59:59.999Z");
    expect(world.balance()).toBe(100n);
    world.settle("2025-02-01");
    expect(world.balance()).toBe(200n);
  });
});

describe("credits roll over and end", () => {
  test("two calendar months after subscribing; a turn's when the second period after their own begins; plus the grace", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.use(30n, "2025-01-20T10:00Z");
    world.settleComplete("2025-02-28T23:59Z");
    expect(world.lots()).toEqual([
      "plan:1:0 100/70 2025-01-15T10:00Z..2025-03-15T10:00Z",
      "plan:1:1 100/100 2025-02-01..2025-04-01",
    ]);
    world.settleComplete("2025-03-15T10:14:59Z");
    expect(world.balance()).toBe(270n);
    world.settleComplete("2025-03-15T10:15Z");
    expect(world.balance()).toBe(200n);
    world.settleComplete("2025-04-01T00:14:59Z");
    expect(world.balance()).toBe(300n);
    world.settleComplete("2025-04-01T00:15Z");
    expect(world.entries().slice(-4)).toEqual([
      "grant 100 plan:1:2 2025-03-01",
      "expiry -70 plan:1:0 2025-03-15T10:00Z",
      "grant 100 plan:1:3 2025-04-01",
      "expiry -100 plan:1:1 2025-04-01",
    ]);
  });

  test("in the order in which they fell due, when the scheduler was down for three months", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.setAddOn("voice", 1, "2025-01-31T12:00Z");
    world.settleComplete("2025-04-10");
    expect(world.entries()).toEqual([
      "grant 100 plan:1:0 2025-01-15T10:00Z",
      "add_on_charge -10 add-on:voice:1:0:0-1 2025-01-31T12:00Z",
      "grant 100 plan:1:1 2025-02-01",
      "add_on_charge -10 add-on:voice:1:1:0-1 2025-02-01",
      "grant 100 plan:1:2 2025-03-01",
      "add_on_charge -10 add-on:voice:1:2:0-1 2025-03-01",
      "expiry -70 plan:1:0 2025-03-15T10:00Z",
      "grant 100 plan:1:3 2025-04-01",
      "expiry -100 plan:1:1 2025-04-01",
      "add_on_charge -10 add-on:voice:1:3:0-1 2025-04-01",
    ]);
    expect(world.lots()).toEqual([
      "plan:1:0 100/0 2025-01-15T10:00Z..2025-03-15T10:00Z",
      "plan:1:1 100/0 2025-02-01..2025-04-01",
      "plan:1:2 100/90 2025-03-01..2025-05-01",
      "plan:1:3 100/100 2025-04-01..2025-06-01",
    ]);
  });

  test("sooner or never when their plan sets it", () => {
    const brief = openWorld();
    brief.subscribe("one-month", "2025-01-15T10:00Z");
    brief.settleComplete("2025-02-16");
    expect(brief.lots()).toEqual([
      "plan:1:0 100/0 2025-01-15T10:00Z..2025-02-15T10:00Z",
      "plan:1:1 100/100 2025-02-01..2025-03-01",
    ]);
    const lasting = openWorld();
    lasting.subscribe("for-ever", "2025-01-15T10:00Z");
    lasting.settleComplete("2025-12-10");
    expect(lasting.balance()).toBe(1_200n);
  });

  test("two calendar months after they were granted, for all other lots", () => {
    const world = openWorld({ timeZone: "Europe/Berlin" });
    const grant = (lotId: string, when: string) =>
      world.model.grant("acme", { lotId, credits: 5n, end: { kind: "usual" } }, at(when));
    expect(grant("a", "2024-12-31T09:00Z")).toBe("granted");
    expect(grant("b", "2025-02-15T09:00Z")).toBe("granted");
    expect(world.lots()).toEqual([
      "a 5/5 2024-12-31T09:00Z..2025-02-28T09:00Z",
      "b 5/5 2025-02-15T09:00Z..2025-04-15T08:00Z",
    ]);
  });

  test("a promotion ends before older lots are used", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    const end = { kind: "at", at: at("2025-01-25T12:00Z") } as const;
    world.model.grant("acme", { lotId: "promo", credits: 50n, end }, at("2025-01-16T10:00Z"));
    world.use(60n, "2025-01-20T10:00Z");
    world.settleComplete("2025-01-25T12:15Z");
    expect(world.entries().at(-1)).toBe("expiry -50 promo 2025-01-25T12:00Z");
    expect(world.balance()).toBe(40n);
  });

  test("a part of a lot is withdrawn, never more than is left", () => {
    const world = openWorld();
    const ask = (credits: bigint | null) =>
      world.model.withdraw("acme", { lotId: "gift", credits }, at("2025-01-17"));
    world.model.grant(
      "acme",
      { lotId: "gift", credits: 50n, end: { kind: "never" } },
      at("2025-01-15"),
    );
    world.use(20n, "2025-01-16");
    expect([ask(20n), ask(11n), ask(null), ask(null), ask(1n)]).toEqual([
      "withdrawn",
      "exceeds_remaining",
      "withdrawn",
      "exceeds_remaining",
      "exceeds_remaining",
    ]);
    expect(world.entries()).toEqual([
      "grant 50 gift 2025-01-15",
      "adjustment -20 gift 2025-01-17",
      "adjustment -10 gift 2025-01-17",
    ]);
    expect(world.lots()).toEqual(["gift 50/0 2025-01-15.."]);
  });
});

describe("two clocks", () => {
  test("usage before the scheduler on the first finds the month's credits", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.use(100n, "2025-01-20T10:00Z");
    world.use(30n, "2025-02-01T00:00:01Z");
    expect(world.balance()).toBe(70n);
    expect(world.lowBalances()).toEqual(["event:1 at 0"]);
  });

  test("usage that comes late across a turn draws on what was there before", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.use(30n, "2025-01-31T23:50Z", "2025-02-01T00:05Z");
    expect(world.lots()).toEqual([
      "plan:1:0 100/70 2025-01-15T10:00Z..2025-03-15T10:00Z",
      "plan:1:1 100/100 2025-02-01..2025-04-01",
    ]);
  });

  test("usage that comes late across an expiry draws on the lot, or gets back what expired once later usage is known", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.use(30n, "2025-02-28T23:59Z", "2025-03-01T00:10Z");
    expect(world.lots()[0]).toBe("plan:1:0 100/70 2025-01-01..2025-03-01");
    world.use(1n, "2025-03-01", "2025-03-01T00:11Z");
    world.use(4n, "2025-02-28T23:59Z", "2025-03-01T00:12Z");
    expect(world.entries().slice(-2)).toEqual([
      "expiry -70 plan:1:0 2025-03-01",
      "reversal 4 plan:1:0 2025-03-01",
    ]);
    expect(world.lots().slice(0, 2)).toEqual([
      "plan:1:0 100/0 2025-01-01..2025-03-01",
      "plan:1:1 100/99 2025-02-01..2025-04-01",
    ]);
  });

  test("an outage of metering across an expiry loses no credits", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.settleComplete("2025-02-28T20:00Z");
    world.settle("2025-03-01T12:00Z");
    expect(world.balance()).toBe(300n);
    world.use(60n, "2025-02-28T22:00Z", "2025-03-01T13:00Z");
    expect(world.lots()[0]).toBe("plan:1:0 100/40 2025-01-01..2025-03-01");
    world.settleComplete("2025-03-01T14:00Z");
    expect(world.entries().at(-1)).toBe("expiry -40 plan:1:0 2025-03-01");
    expect(world.balance()).toBe(200n);
  });

  test("an event from a fast clock causes no turn and no expiry", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.use(10n, "2025-03-01T00:02Z", "2025-02-28T23:59Z");
    expect(world.lots()).toEqual([
      "plan:1:0 100/90 2025-01-01..2025-03-01",
      "plan:1:1 100/100 2025-02-01..2025-04-01",
    ]);
  });

  test("what one event alone makes due comes last, in the order in which it fell due", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-01");
    world.setAddOn("voice", 1, "2025-01-15T10:00Z");
    world.use(5n, "2025-03-02");
    expect(world.entries().slice(2)).toEqual([
      "grant 100 plan:1:1 2025-02-01",
      "grant 100 plan:1:2 2025-03-01",
      "add_on_charge -10 add-on:voice:1:1:0-1 2025-02-01",
      "expiry -80 plan:1:0 2025-03-01",
      "add_on_charge -10 add-on:voice:1:2:0-1 2025-03-01",
    ]);
    expect(world.lots()[1]).toBe("plan:1:1 100/85 2025-02-01..2025-04-01");
  });
});

describe("settling is one movement", () => {
  test("an expiry made up for by the same turn's credits publishes nothing", () => {
    const world = openWorld({ threshold: 150n });
    world.subscribe("small", "2025-01-01");
    world.settleComplete("2025-02-10");
    world.settleComplete("2025-03-10");
    expect(world.balance()).toBe(200n);
    expect(world.lowBalances()).toEqual([]);
  });

  test("an expiry that is not made up for publishes a low balance, naming the last entry", () => {
    const world = openWorld({ threshold: 200n });
    world.subscribe("small", "2025-01-01");
    world.model.grant(
      "acme",
      { lotId: "gift", credits: 150n, end: { kind: "at", at: at("2025-03-01") } },
      at("2025-01-16"),
    );
    world.settleComplete("2025-02-10");
    expect(world.balance()).toBe(350n);
    world.settleComplete("2025-03-10");
    expect(world.entries().slice(-3)).toEqual([
      "grant 100 plan:1:2 2025-03-01",
      "expiry -100 plan:1:0 2025-03-01",
      "expiry -150 gift 2025-03-01",
    ]);
    expect(world.lowBalances()).toEqual(["entry:6 at 200"]);
  });

  test("a turn that leaves a low account low publishes it again, and one that lifts it does not", () => {
    const world = openWorld();
    world.subscribe("small", "2025-01-15T10:00Z");
    world.use(250n, "2025-01-20T10:00Z");
    world.settle("2025-02-01");
    world.settle("2025-03-01");
    expect(world.balance()).toBe(50n);
    expect(world.lowBalances()).toEqual(["event:1 at -150", "entry:2 at -50"]);
  });

  test("credits alone cross no threshold, however high", () => {
    const world = openWorld({ threshold: 1_000n });
    world.subscribe("small", "2025-01-15T10:00Z");
    world.settle("2025-02-01");
    expect(world.lowBalances()).toEqual([]);
  });
});

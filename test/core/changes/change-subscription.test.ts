/**
 * Subscribing and every change of a subscription: what takes effect immediately, what from the next
 * period, what is refused and then changes nothing, and what the history records.
 */
import { describe, expect, test } from "vitest";
import { decideCancel } from "../../../shared/core/changes/cancel-subscription.ts";
import { MAX_ADD_ON_UNITS } from "../../../shared/core/changes/set-add-on.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { CATALOGUE, iso, openPlay, type Play } from "../month/account-in-play.ts";

const SUBSCRIBED = "2026-01-10T08:00";
const LATER = "2026-01-20T00:00";

/** An account on a plan since 10 January. */
function on(planId: string, interval: "month" | "year" = "month", zone = "UTC"): Play {
  const acme = openPlay({ zone });
  acme.subscribe(SUBSCRIBED, planId, { interval });
  return acme;
}

describe("subscribing", () => {
  test("begins period 0 immediately", () => {
    const acme = on("small");
    expect(acme.schedule()).toEqual({
      ...EMPTY_SCHEDULE,
      subscription: {
        firstPart: null,
        number: 1,
        planId: "small",
        interval: "month",
        currency: "USD",
        anchor: { renewal: "first_of_month", date: "2026-01-01" },
        subscribedAt: Date.parse(`${SUBSCRIBED}Z`),
        period: 0,
        nextPeriodAt: Date.parse("2026-02-01T00:00Z"),
        periodCredits: 100n,
        paidUntil: 1,
        paidPrice: 1000n,
        nextPlanId: null,
        nextInterval: null,
        cancelled: false,
        withheld: null,
      },
      subscriptions: 1,
      changes: 1,
    });
    expect(acme.history()).toEqual([
      "2026-01-10T08:00Z subscribed small month first_of_month 1 22 31 by me",
    ]);
  });

  test("repays a debt", () => {
    const acme = openPlay();
    acme.use("2026-01-09T00:00", 30n);
    acme.subscribe(SUBSCRIBED, "small");
    expect(acme.balance()).toBe(70n);
  });

  test.each([
    { planId: "none", kind: "unknown_plan" },
    { planId: "coming", kind: "unknown_plan" },
    { planId: "euro", kind: "no_plan_price" },
  ])("to $planId is refused: $kind", ({ planId, kind }) => {
    const acme = openPlay();
    expect(acme.subscribe(SUBSCRIBED, planId)).toBe(kind);
    expect([acme.schedule(), acme.entries, acme.changes]).toEqual([EMPTY_SCHEDULE, [], []]);
  });

  test("again is refused while one runs, also after it was cancelled", () => {
    const acme = on("small");
    expect(acme.subscribe(LATER, "large")).toBe("already_subscribed");
    acme.cancel(LATER);
    expect(acme.subscribe(LATER, "large")).toBe("already_subscribed");
  });

  test("beyond what the line holds is refused", () => {
    const acme = openPlay();
    acme.grant(SUBSCRIBED, "gift", MAX_BIGINT - 99n, { kind: "never" });
    expect(acme.subscribe(SUBSCRIBED, "small")).toBe("overflow");
    acme.withdraw(SUBSCRIBED, "gift", 1n);
    expect(acme.subscribe(SUBSCRIBED, "small")).toBe("changed");
  });

  test("after the end of one starts a new subscription with its own lots", () => {
    const acme = on("small");
    acme.cancel(LATER);
    expect(acme.subscribe("2026-02-01T00:00", "small")).toBe("changed");
    acme.settle("2026-03-01T00:00");
    expect(acme.story()).toEqual([
      "2026-01-10T08:00Z 100 plan:1:0",
      "2026-02-01T00:00Z 100 plan:2:0",
      "2026-03-01T00:00Z 100 plan:2:1",
    ]);
  });
});

describe("a larger plan", () => {
  test("takes effect immediately and grants the difference as its own lot, which lives two months from then", () => {
    const acme = on("small");
    expect(acme.changePlan(LATER, "large")).toBe("changed");
    expect(acme.story(1)).toEqual(["2026-01-20T00:00Z 200 plan:1:0:300"]);
    expect(iso(acme.granted.at(-1)?.expiresAt ?? 0)).toBe("2026-03-20T00:00Z");
    expect(acme.history().at(-1)).toBe("2026-01-20T00:00Z plan_changed large small by me");
    acme.settle("2026-02-01T00:00");
    expect(acme.story(2)).toEqual(["2026-02-01T00:00Z 300 plan:1:1"]);
  });

  test("grants no more than the difference to what this period has received", () => {
    const acme = on("small");
    acme.changePlan(LATER, "medium");
    acme.changePlan(LATER, "large");
    expect(acme.story(1)).toEqual([
      "2026-01-20T00:00Z 100 plan:1:0:200",
      "2026-01-20T00:00Z 100 plan:1:0:300",
    ]);
  });

  test("changing back and forth within one month grants as much as the largest plan and no more", () => {
    const acme = on("small");
    const moves = ["large", "small", "large", "medium", "small", "large", "small", "large"];
    for (const planId of moves) acme.changePlan(LATER, planId);
    expect(acme.balance()).toBe(300n);
    acme.settle("2026-02-01T00:00");
    expect(acme.balance()).toBe(600n);
  });

  test("that is larger than the current one, but not than what the period has received, grants nothing", () => {
    const acme = openPlay();
    acme.subscribe("2026-03-10T00:00", "shrinking");
    acme.changePlan("2026-03-20T00:00", "small");
    expect(acme.schedule().subscription).toMatchObject({ planId: "small", nextPlanId: null });
    expect(acme.story()).toEqual(["2026-03-10T00:00Z 200 plan:1:0"]);
  });

  test("takes effect immediately after a reduction within the period, where the period has received as much", () => {
    const acme = on("large");
    acme.changePlan(LATER, "small");
    acme.settle("2026-02-01T00:00");
    acme.changePlan("2026-02-02T00:00", "large");
    acme.changePlan("2026-02-03T00:00", "small");
    acme.cancel("2026-02-03T00:00");
    expect(acme.story(1)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-02T00:00Z 200 plan:1:1:300",
    ]);
    expect(acme.schedule().subscription).toMatchObject({ planId: "large", nextPlanId: "small" });
  });

  test("cancels a planned smaller one", () => {
    const acme = on("small");
    acme.changePlan(LATER, "brief");
    acme.changePlan(LATER, "medium");
    expect(acme.schedule().subscription).toMatchObject({ planId: "medium", nextPlanId: null });
  });

  test("whose credits the catalogue has raised since counts with its new credits", () => {
    const acme = openPlay();
    acme.subscribe("2026-03-01T00:00", "small");
    acme.changePlan("2026-03-20T00:00", "growing");
    expect(acme.story(1)).toEqual(["2026-03-20T00:00Z 50 plan:1:0:150"]);
  });

  test("beyond what the line holds is refused", () => {
    const acme = on("small");
    acme.grant(LATER, "gift", MAX_BIGINT - 299n, { kind: "never" });
    expect(acme.changePlan(LATER, "large")).toBe("overflow");
    expect(acme.schedule().subscription?.planId).toBe("small");
  });
});

describe("a plan with as many credits or fewer", () => {
  test.each(["small", "twin", "brief"])(
    "such as %s takes effect from the next period",
    (planId) => {
      const acme = on("medium");
      expect(acme.changePlan(LATER, planId)).toBe("changed");
      expect(acme.schedule().subscription).toMatchObject({ planId: "medium", nextPlanId: planId });
      expect(acme.history().at(-1)).toBe(`2026-01-20T00:00Z plan_change_planned ${planId} by me`);
      acme.settle("2026-02-01T00:00");
      expect(acme.schedule().subscription).toMatchObject({ planId, nextPlanId: null });
      expect(acme.granted.at(-1)).toMatchObject({ reference: planId, lotId: "plan:1:1" });
      expect(acme.history().at(-1)).toBe(
        `2026-02-01T00:00Z plan_changed ${planId} medium by schedule`,
      );
    },
  );

  test("is cancelled by choosing the current plan again", () => {
    const acme = on("medium");
    acme.changePlan(LATER, "small");
    expect(acme.changePlan(LATER, "medium")).toBe("changed");
    expect(acme.schedule().subscription?.nextPlanId).toBe(null);
    expect(acme.history().at(-1)).toBe("2026-01-20T00:00Z plan_change_planned medium by me");
    acme.settle("2026-02-01T00:00");
    expect(acme.granted.at(-1)?.credits).toBe(200n);
    expect(acme.changes).toHaveLength(3);
  });
});

describe("a change of plan is refused", () => {
  test.each([
    { planId: "small", kind: "no_change" },
    { planId: "none", kind: "unknown_plan" },
    { planId: "coming", kind: "unknown_plan" },
    { planId: "euro", kind: "no_plan_price" },
  ])("to $planId: $kind", ({ planId, kind }) =>
    refused(on("small"), (acme) => acme.changePlan(LATER, planId), kind),
  );

  test("to what is planned already", () => {
    const acme = on("medium");
    acme.changePlan(LATER, "small");
    refused(acme, () => acme.changePlan(LATER, "small"), "no_change");
  });
});

describe("the interval", () => {
  test("from yearly to monthly in month 7 changes when the year is over; credits come monthly throughout", () => {
    const acme = on("small", "year");
    acme.settle("2026-08-05T00:00");
    expect(acme.schedule().subscription?.period).toBe(7);
    expect(acme.changeInterval("2026-08-05T00:00", "month")).toBe("changed");
    acme.settle("2026-12-31T00:00");
    expect(acme.schedule().subscription).toMatchObject({ interval: "year", paidUntil: 12 });
    acme.settle("2027-01-01T00:00");
    expect(acme.schedule().subscription).toMatchObject({
      interval: "month",
      nextInterval: null,
      paidUntil: 13,
    });
    expect(acme.history().slice(1)).toEqual([
      "2026-08-05T00:00Z interval_change_planned month by me",
      "2027-01-01T00:00Z interval_changed month year by schedule",
    ]);
    expect(acme.granted).toHaveLength(13);
    acme.cancel("2027-01-02T00:00");
    acme.settle("2027-03-01T00:00");
    expect(acme.granted).toHaveLength(13);
  });

  test("from monthly to yearly changes from the next month, for twelve months", () => {
    const acme = on("small");
    acme.changeInterval(LATER, "year");
    acme.settle("2026-02-01T00:00");
    expect(acme.schedule().subscription).toMatchObject({ interval: "year", paidUntil: 13 });
  });

  test("to the present one cancels a planned change", () => {
    const acme = on("small");
    acme.changeInterval(LATER, "year");
    expect(acme.changeInterval(LATER, "month")).toBe("changed");
    expect(acme.schedule().subscription?.nextInterval).toBe(null);
    acme.settle("2026-02-01T00:00");
    expect(acme.schedule().subscription).toMatchObject({ interval: "month", paidUntil: 2 });
  });

  test("that is current or already planned is refused", () => {
    const acme = on("small");
    refused(acme, () => acme.changeInterval(LATER, "month"), "no_change");
    acme.changeInterval(LATER, "year");
    refused(acme, () => acme.changeInterval(LATER, "year"), "no_change");
  });
});

describe("cancelled", () => {
  test("it ends as the next month would begin; credits keep their expiry and add-ons end", () => {
    const acme = on("small");
    acme.addOn(LATER, "voice", 1);
    expect(acme.cancel(LATER)).toBe("changed");
    acme.settle("2026-02-15T00:00");
    expect(acme.schedule()).toMatchObject({ subscription: null, addOns: [], dueCharges: [] });
    expect(acme.left()).toEqual({ "plan:1:0": 90n });
    expect(acme.history().slice(-2)).toEqual([
      "2026-01-20T00:00Z cancelled small by me",
      "2026-02-01T00:00Z ended small by schedule",
    ]);
    acme.settle("2026-03-10T08:15");
    expect(acme.balance()).toBe(0n);
    expect(acme.account().nextDueAt).toBe(null);
  });

  test("a paid year runs to its twelfth month", () => {
    const acme = on("small", "year");
    acme.cancel("2026-03-05T00:00");
    acme.settle("2027-06-01T00:00");
    expect(acme.granted).toHaveLength(12);
    expect(acme.history().at(-1)).toBe("2027-01-01T00:00Z ended small by schedule");
  });

  test("a year with a planned change to monthly ends when what is paid is over", () => {
    const acme = on("small", "year");
    acme.changeInterval(LATER, "month");
    acme.cancel(LATER);
    acme.settle("2027-06-01T00:00");
    expect(acme.granted).toHaveLength(12);
  });

  test("and resumed within one month, nothing is lost and nothing is granted twice", () => {
    const acme = on("small");
    acme.addOn(LATER, "voice", 1);
    acme.cancel(LATER);
    expect(acme.resume(LATER)).toBe("changed");
    acme.settle("2026-02-01T00:15");
    expect(acme.story(2)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:00Z -10 add-on:voice:1:1:0-1",
    ]);
  });

  test("it cannot be resumed once it has ended", () => {
    const acme = on("small");
    acme.cancel(LATER);
    expect(acme.resume("2026-02-01T00:00")).toBe("no_subscription");
  });

  test("charges of its last turn are still posted, under its number", () => {
    const acme = openPlay({ completeUntil: () => null });
    acme.subscribe(SUBSCRIBED, "small");
    acme.addOn(SUBSCRIBED, "voice", 1);
    acme.cancel("2026-02-01T00:00");
    acme.subscribe("2026-03-01T00:00", "small");
    acme.addOn("2026-03-01T00:00", "voice", 1);
    acme.use("2026-04-01T00:00", 1n);
    expect(acme.story().filter((line) => line.includes("voice"))).toEqual([
      "2026-01-10T08:00Z -10 add-on:voice:1:0:0-1",
      "2026-03-01T00:00Z -10 add-on:voice:2:0:0-1",
      "2026-02-01T00:00Z -10 add-on:voice:1:1:0-1",
      "2026-04-01T00:00Z -20 add-on:voice:2:1:0-1",
    ]);
  });

  test("again, or resumed when it is not cancelled, is refused", () => {
    const acme = on("small");
    refused(acme, () => acme.resume(LATER), "not_cancelled");
    acme.cancel(LATER);
    refused(acme, () => acme.cancel(LATER), "already_cancelled");
  });
});

describe("an add-on", () => {
  test("is charged for the whole period when activated, on the last day too, and again at the turn", () => {
    const acme = on("small");
    acme.addOn("2026-01-31T23:59", "voice", 3);
    acme.settle("2026-02-01T00:15");
    expect(acme.story(1)).toEqual([
      "2026-01-31T23:59Z -30 add-on:voice:1:0:0-3",
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:00Z -30 add-on:voice:1:1:0-3",
    ]);
    expect(acme.history().at(-1)).toBe("2026-01-31T23:59Z add_on_changed voice 3 0 by me");
  });

  test("is charged immediately for more units, and takes fewer from the next period", () => {
    const acme = on("small");
    acme.addOn(LATER, "voice", 1);
    acme.addOn(LATER, "voice", 3);
    acme.addOn(LATER, "voice", 2);
    expect(acme.history().at(-1)).toBe("2026-01-20T00:00Z add_on_change_planned voice 2 by me");
    acme.settle("2026-02-01T00:15");
    expect(acme.story(1)).toEqual([
      "2026-01-20T00:00Z -10 add-on:voice:1:0:0-1",
      "2026-01-20T00:00Z -20 add-on:voice:1:0:1-3",
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:00Z -20 add-on:voice:1:1:0-2",
    ]);
    expect(acme.history().at(-1)).toBe("2026-02-01T00:00Z add_on_changed voice 2 3 by schedule");
  });

  test("units added, removed and added again are charged once", () => {
    const acme = on("small");
    for (const units of [3, 0, 3, 1, 2, 0, 3]) acme.addOn(LATER, "voice", units);
    expect(acme.story(1)).toEqual(["2026-01-20T00:00Z -30 add-on:voice:1:0:0-3"]);
    acme.addOn(LATER, "voice", 4);
    expect(acme.story(2)).toEqual(["2026-01-20T00:00Z -10 add-on:voice:1:0:3-4"]);
  });

  test("more units while the turn's charge waits: only those are charged immediately", () => {
    const acme = on("small");
    acme.addOn(LATER, "voice", 2);
    acme.addOn("2026-02-01T00:05", "voice", 3);
    acme.settle("2026-02-01T00:15");
    expect(acme.story(2)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:05Z -10 add-on:voice:1:1:2-3",
      "2026-02-01T00:00Z -20 add-on:voice:1:1:0-2",
    ]);
  });

  test("within the grace draws on no lot that has ended; late usage still does", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn(LATER, "voice", 1);
    acme.settle("2026-02-10T00:00");
    acme.grant("2026-02-11T00:00", "gift", 50n, {
      kind: "at",
      at: Date.parse("2026-03-01T00:00Z"),
    });
    const before = acme.entries.length;
    acme.addOn("2026-03-01T00:05", "voice", 3);
    expect(acme.story(before)).toEqual([
      "2026-03-01T00:00Z 100 plan:1:2",
      "2026-03-01T00:00Z -80 expiry:plan:1:0",
      "2026-03-01T00:00Z -50 expiry:gift",
      "2026-03-01T00:00Z -10 add-on:voice:1:2:0-1",
      "2026-03-01T00:05Z -20 add-on:voice:1:2:1-3",
    ]);
    const balance = acme.balance();
    acme.use("2026-03-01T00:10", 50n, "2026-02-28T23:59");
    expect(acme.balance()).toBe(balance);
  });

  test("is sorted by id in the schedule", () => {
    const acme = on("small");
    for (const addOnId of ["voice", "seat"]) acme.addOn(LATER, addOnId, 1);
    acme.addOn(LATER, "voice", 2);
    expect(acme.schedule().addOns.map(({ addOnId }) => addOnId)).toEqual(["seat", "voice"]);
  });

  test("set to 0 ends at the turn", () => {
    const acme = on("small");
    acme.addOn(LATER, "voice", 2);
    acme.addOn(LATER, "voice", 0);
    expect(acme.schedule().addOns).toEqual([{ addOnId: "voice", quantity: 2, nextQuantity: 0 }]);
    acme.settle("2026-02-01T00:15");
    expect(acme.schedule()).toMatchObject({ addOns: [], dueCharges: [] });
    expect(acme.history().at(-1)).toBe("2026-02-01T00:00Z add_on_changed voice 0 2 by schedule");
  });

  test("beyond the balance is debt, and publishes a low balance", () => {
    const acme = openPlay({ threshold: 0n });
    acme.subscribe(SUBSCRIBED, "small");
    acme.addOn(LATER, "voice", 11);
    expect(acme.balance()).toBe(-10n);
    expect(acme.lowBalances).toMatchObject([{ cause: "entry:2", balance: -10n }]);
  });

  test.each([
    { addOnId: "none", units: 1, kind: "unknown_add_on" },
    { addOnId: "voice", units: 0, kind: "no_change" },
    { addOnId: "voice", units: -1, kind: "invalid_quantity" },
    { addOnId: "voice", units: 1.5, kind: "invalid_quantity" },
    { addOnId: "voice", units: Number.NaN, kind: "invalid_quantity" },
    { addOnId: "voice", units: MAX_ADD_ON_UNITS + 1, kind: "invalid_quantity" },
  ])("$addOnId set to $units is refused: $kind", ({ addOnId, units, kind }) =>
    refused(on("small"), (acme) => acme.addOn(LATER, addOnId, units), kind),
  );

  test("that is current or already planned is refused", () => {
    const acme = on("small");
    acme.addOn(LATER, "voice", 2);
    refused(acme, () => acme.addOn(LATER, "voice", 2), "no_change");
    acme.addOn(LATER, "voice", 1);
    refused(acme, () => acme.addOn(LATER, "voice", 1), "no_change");
  });

  test("beyond what the line holds is refused", () => {
    const acme = on("small");
    acme.use(LATER, MAX_BIGINT - 9n);
    refused(acme, () => acme.addOn(LATER, "voice", 1), "overflow");
    expect(acme.addOn(LATER, "seat", 1)).toBe("changed");
  });
});

describe("without a subscription", () => {
  test.each<{ what: string; change: (acme: Play) => string }>([
    { what: "a change of plan", change: (acme) => acme.changePlan(LATER, "large") },
    { what: "a change of interval", change: (acme) => acme.changeInterval(LATER, "year") },
    { what: "a cancellation", change: (acme) => acme.cancel(LATER) },
    { what: "a resumption", change: (acme) => acme.resume(LATER) },
    { what: "an add-on", change: (acme) => acme.addOn(LATER, "voice", 1) },
  ])("$what is refused", ({ change }) => refused(openPlay(), change, "no_subscription"));
});

describe("another time zone", () => {
  test("further east, before its month has begun: the turn follows the new clock", () => {
    const acme = on("small", "month", "Pacific/Pago_Pago");
    acme.moveTo(LATER, "Pacific/Kiritimati");
    acme.settle("2026-03-05T00:00");
    expect(acme.story(1).filter((line) => line.includes(" 100 "))).toEqual([
      "2026-01-31T10:00Z 100 plan:1:1",
      "2026-02-28T10:00Z 100 plan:1:2",
    ]);
    expect(acme.history()[1]).toBe(
      "2026-01-20T00:00Z time_zone_changed Pacific/Kiritimati Pacific/Pago_Pago by me",
    );
  });

  test("further east, where the month has already begun: the turn is due immediately, and comes once", () => {
    const acme = on("small", "month", "Pacific/Pago_Pago");
    acme.moveTo("2026-01-31T20:00", "Pacific/Kiritimati");
    expect(iso(acme.account().nextDueAt ?? 0)).toBe("2026-01-31T20:00Z");
    acme.settle("2026-02-02T00:00");
    expect(acme.story(1)).toEqual(["2026-01-31T20:00Z 100 plan:1:1"]);
    expect(iso(acme.account().nextDueAt ?? 0)).toBe("2026-02-28T10:00Z");
  });

  test("further west, where the month just begun has not begun yet: it is not granted again", () => {
    const acme = on("small", "month", "Pacific/Kiritimati");
    acme.settle("2026-01-31T10:00");
    expect(acme.story()).toHaveLength(2);
    acme.moveTo("2026-01-31T12:00", "Pacific/Pago_Pago");
    acme.settle("2026-02-01T11:00");
    expect(acme.story()).toHaveLength(2);
    expect(iso(acme.schedule().subscription?.nextPeriodAt ?? 0)).toBe("2026-03-01T11:00Z");
  });

  test("further west, before the turn: the month begins later", () => {
    const acme = on("small", "month", "Pacific/Kiritimati");
    acme.moveTo("2026-01-31T09:00", "Pacific/Pago_Pago");
    acme.settle("2026-02-01T10:59:59");
    expect(acme.story()).toHaveLength(1);
    acme.settle("2026-02-01T11:00");
    expect(acme.story(1)).toEqual(["2026-02-01T11:00Z 100 plan:1:1"]);
  });

  test("lots keep their expiry, and the next month's follows the new clock", () => {
    const acme = on("small", "month", "Europe/Berlin");
    acme.moveTo(LATER, "America/New_York");
    acme.settle("2026-02-01T05:00");
    expect(acme.granted.map(({ expiresAt }) => iso(expiresAt ?? 0))).toEqual([
      "2026-03-10T08:00Z",
      "2026-04-01T04:00Z",
    ]);
  });

  test("changed back and forth in one month grants each month once", () => {
    const acme = on("small", "month", "Pacific/Kiritimati");
    for (const [at, zone] of [
      ["2026-01-31T10:00", "Pacific/Pago_Pago"],
      ["2026-01-31T10:30", "Pacific/Kiritimati"],
      ["2026-01-31T11:00", "Europe/Berlin"],
      ["2026-01-31T23:30", "Pacific/Kiritimati"],
      ["2026-02-01T01:00", "Pacific/Pago_Pago"],
    ] as const) {
      acme.moveTo(at, zone);
    }
    acme.settle("2026-02-15T00:00");
    expect(acme.story(1)).toEqual(["2026-01-31T10:00Z 100 plan:1:1"]);
  });

  test("without a subscription is only stored", () => {
    const acme = openPlay();
    expect(acme.moveTo(LATER, "Europe/Berlin")).toBe("changed");
    expect(acme.account()).toMatchObject({ timeZone: "Europe/Berlin", nextDueAt: null });
  });

  test.each([
    { zone: "Mars/Olympus_Mons", kind: "unknown_time_zone" },
    { zone: "+02:00", kind: "unknown_time_zone" },
    { zone: "UTC", kind: "no_change" },
  ])("$zone is refused: $kind", ({ zone, kind }) =>
    refused(on("small"), (acme) => acme.moveTo(LATER, zone), kind),
  );
});

describe("a change at the very instant of a turn", () => {
  test("comes after the turn: the month's credits are those of the plan before", () => {
    const acme = on("small");
    acme.changePlan("2026-02-01T00:00", "large");
    expect(acme.story(1)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:00Z 200 plan:1:1:300",
    ]);
  });
});

test("no change is decided on an account that is not settled", () => {
  const acme = on("small");
  const now = Date.parse("2026-02-01T00:00Z");
  const context = {
    ...{ book: acme.book(), catalogue: CATALOGUE, currency: "USD", now, by: "me" },
    ...{ wayToPay: null, unpaidFees: [] },
  };
  expect(() => decideCancel(context)).toThrow("account acme must be settled before it is changed");
});

/** Expects a refusal of this kind, with nothing changed. */
function refused(acme: Play, change: (acme: Play) => string, kind: string): void {
  acme.settle(LATER);
  const before = [acme.account(), acme.schedule(), acme.entries.length, acme.changes.length];
  expect(change(acme)).toBe(kind);
  expect([acme.account(), acme.schedule(), acme.entries.length, acme.changes.length]).toEqual(
    before,
  );
}

/**
 * Fees that are given up, and paid after all.
 *
 * - given up: months begin without credits, charges and further fees; what was granted stays
 * - paid: months that were charged and withheld are granted; where what was charged is over, the current
 *   month begins a paid stretch; months in between are neither granted nor charged
 * - no month is granted twice, however often it is suspended and restored
 */
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { iso, openPlay, type Play } from "./account-in-play.ts";

const BEGAN = "2026-01-10T08:00";
/** When charging a fee of February is given up. */
const GIVEN_UP = "2026-02-17T00:00";

/** An account on a plan since 10 January, whose fee of February is given up. */
function suspended(interval: "month" | "year" = "month", planId = "small"): Play {
  const acme = openPlay();
  acme.subscribe(BEGAN, planId, { interval });
  expect(acme.feeGivenUp(GIVEN_UP, 1)).toBe("changed");
  return acme;
}

/** Ids of lots, with their expiries. */
function lots(acme: Play): string[] {
  return acme.granted.map(({ lotId, expiresAt }) => `${lotId} ends ${iso(expiresAt ?? 0)}`);
}

describe("a fee that is given up", () => {
  test("suspends: what was granted stays, and the history records it", () => {
    const acme = suspended();
    expect(acme.schedule().subscription).toMatchObject({ withheld: [], periodCredits: 100n });
    expect(acme.balance()).toBe(200n);
    expect(acme.history().at(-1)).toBe("2026-02-17T00:00Z suspended small 1 by me");
  });

  test("again, for another subscription or for none changes nothing", () => {
    const acme = suspended();
    expect(acme.feeGivenUp(GIVEN_UP, 1)).toBe("no_change");
    expect(acme.feeGivenUp(GIVEN_UP, 0, 2)).toBe("no_change");
    acme.cancel(GIVEN_UP);
    expect(acme.feeGivenUp("2026-03-02T00:00", 1)).toBe("no_change");
    expect(openPlay().feeGivenUp(GIVEN_UP, 1)).toBe("no_change");
  });

  test("of a subscription that has ended leaves the next one alone", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.cancel(BEGAN);
    acme.subscribe("2026-02-02T00:00", "small");
    expect(acme.feeGivenUp(GIVEN_UP, 0, 1)).toBe("no_change");
    expect(acme.feeGivenUp(GIVEN_UP, 0, 2)).toBe("changed");
  });
});

describe("while it is suspended", () => {
  test("months begin without credits, fees and add-on charges; credits still expire", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.addOn(BEGAN, "voice", 2);
    acme.feeGivenUp(GIVEN_UP, 1);
    const [entries, fees] = [acme.entries.length, acme.fees.length];
    acme.settle("2026-04-10T00:00");
    expect(acme.story(entries)).toEqual([
      "2026-03-10T08:00Z -60 expiry:plan:1:0",
      "2026-04-01T00:00Z -100 expiry:plan:1:1",
    ]);
    expect([acme.fees.length, acme.schedule().dueCharges]).toEqual([fees, []]);
    expect(acme.schedule().subscription).toMatchObject({
      period: 3,
      paidUntil: 2,
      withheld: [2, 3],
      periodCredits: 0n,
      nextPeriodAt: Date.parse("2026-05-01T00:00Z"),
    });
  });

  test("planned plans and add-ons take effect; an interval waits until the fee is paid", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "medium");
    acme.addOn(BEGAN, "voice", 3);
    acme.settle("2026-02-02T00:00");
    acme.changePlan("2026-02-02T00:00", "small");
    acme.changeInterval("2026-02-02T00:00", "year");
    acme.addOn("2026-02-02T00:00", "voice", 1);
    acme.feeGivenUp(GIVEN_UP, 1);
    acme.settle("2026-03-02T00:00");
    expect(acme.schedule()).toMatchObject({
      subscription: { planId: "small", nextPlanId: null, interval: "month", nextInterval: "year" },
      addOns: [{ addOnId: "voice", quantity: 1, nextQuantity: 1 }],
    });
    expect(acme.history().slice(-2)).toEqual([
      "2026-03-01T00:00Z plan_changed small medium by schedule",
      "2026-03-01T00:00Z add_on_changed voice 1 3 by schedule",
    ]);
  });

  test.each<{ what: string; change: (acme: Play) => string }>([
    { what: "a larger plan", change: (acme) => acme.changePlan(GIVEN_UP, "large") },
    { what: "a smaller plan", change: (acme) => acme.changePlan(GIVEN_UP, "brief") },
    { what: "another interval", change: (acme) => acme.changeInterval(GIVEN_UP, "year") },
    { what: "an add-on", change: (acme) => acme.addOn(GIVEN_UP, "seat", 1) },
    { what: "more units of one", change: (acme) => acme.addOn(GIVEN_UP, "voice", 3) },
  ])("$what is refused, and nothing has changed", ({ change }) => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.addOn(BEGAN, "voice", 2);
    acme.feeGivenUp(GIVEN_UP, 1);
    const before = [acme.account(), acme.schedule(), acme.fees.length];
    expect(change(acme)).toBe("subscription_suspended");
    expect([acme.account(), acme.schedule(), acme.fees.length]).toEqual(before);
  });

  test("fewer units, cancelling and resuming are not refused", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.addOn(BEGAN, "voice", 2);
    acme.feeGivenUp(GIVEN_UP, 1);
    expect(acme.addOn(GIVEN_UP, "voice", 1)).toBe("changed");
    expect(acme.addOn(GIVEN_UP, "voice", 2)).toBe("changed");
    expect([acme.cancel(GIVEN_UP), acme.resume(GIVEN_UP)]).toEqual(["changed", "changed"]);
    expect(acme.subscribe(GIVEN_UP, "large")).toBe("already_subscribed");
  });

  test.each([
    { interval: "month", cancelled: GIVEN_UP, ends: "2026-03-01T00:00Z" },
    { interval: "month", cancelled: "2026-04-10T00:00", ends: "2026-05-01T00:00Z" },
    { interval: "year", cancelled: GIVEN_UP, ends: "2027-01-01T00:00Z" },
    { interval: "year", cancelled: "2027-03-10T00:00", ends: "2027-04-01T00:00Z" },
  ] as const)(
    "paid by the $interval and cancelled at $cancelled, it ends at $ends",
    ({ interval, cancelled, ends }) => {
      const acme = suspended(interval);
      acme.cancel(cancelled);
      acme.settle("2027-06-01T00:00");
      expect(acme.history().at(-1)).toBe(`${ends} ended small by schedule`);
      expect(acme.granted).toHaveLength(2);
      expect(acme.feePaid("2027-06-01T00:00", 1)).toBe("no_change");
    },
  );
});

describe("a fee that is paid", () => {
  test("in time changes nothing", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    expect(acme.feePaid(BEGAN, 0)).toBe("no_change");
    expect(acme.changes).toHaveLength(1);
  });

  test("while others are owed, for another subscription or for none changes nothing", () => {
    const acme = suspended();
    expect(acme.feePaid(GIVEN_UP, 1, { owing: 1 })).toBe("no_change");
    expect(acme.feePaid(GIVEN_UP, 1, { number: 2 })).toBe("no_change");
    expect(openPlay().feePaid(GIVEN_UP, 1)).toBe("no_change");
  });

  test.each(["month", "year"] as const)(
    "in the same month grants nothing more, paid by the %s",
    (interval) => {
      const acme = suspended(interval);
      const before = [acme.entries.length, acme.fees.length];
      expect(acme.feePaid("2026-02-20T00:00", 1)).toBe("changed");
      expect([acme.entries.length, acme.fees.length]).toEqual(before);
      expect(acme.history().at(-1)).toBe("2026-02-20T00:00Z restored small 1 by me");
      expect(acme.schedule().subscription).toMatchObject({ withheld: null, periodCredits: 100n });
      acme.settle("2026-03-01T00:00");
      expect(acme.granted.at(-1)?.lotId).toBe("plan:1:2");
    },
  );

  test("three months later, for a month: the current one starts again, those between are not charged", () => {
    const acme = suspended();
    const fees = acme.fees.length;
    expect(acme.feePaid("2026-05-20T00:00", 1)).toBe("changed");
    expect(lots(acme).slice(2)).toEqual(["plan:1:4 ends 2026-07-20T00:00Z"]);
    expect(acme.bills().slice(fees)).toEqual(["2026-05-20T00:00Z 1000 USD fee:1:4 for 1 of small"]);
    expect(acme.schedule().subscription).toMatchObject({
      withheld: null,
      period: 4,
      paidUntil: 5,
      periodCredits: 100n,
    });
    acme.settle("2026-06-01T00:00");
    expect(lots(acme).slice(3)).toEqual(["plan:1:5 ends 2026-08-01T00:00Z"]);
    expect(acme.bills().slice(fees + 1)).toEqual([
      "2026-06-01T00:00Z 1000 USD fee:1:5 for 1 of small",
    ]);
  });

  test("three months later, for a year: each month paid for is granted, for two months from now", () => {
    const acme = suspended("year");
    const fees = acme.fees.length;
    acme.feePaid("2026-05-20T00:00", 0);
    expect(lots(acme).slice(2)).toEqual([
      "plan:1:2 ends 2026-07-20T00:00Z",
      "plan:1:3 ends 2026-07-20T00:00Z",
      "plan:1:4 ends 2026-07-20T00:00Z",
    ]);
    expect(acme.fees).toHaveLength(fees);
    expect(acme.schedule().subscription).toMatchObject({
      withheld: null,
      paidUntil: 12,
      periodCredits: 100n,
    });
    acme.settle("2026-06-01T00:00");
    expect(lots(acme).at(-1)).toBe("plan:1:5 ends 2026-08-01T00:00Z");
  });

  test("after the year: the months it was charged for are granted, and another year begins", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small", { interval: "year" });
    acme.feeGivenUp("2026-11-05T00:00", 0);
    acme.feePaid("2027-03-05T00:00", 0);
    expect(lots(acme).slice(11)).toEqual([
      "plan:1:11 ends 2027-05-05T00:00Z",
      "plan:1:14 ends 2027-05-05T00:00Z",
    ]);
    expect(acme.bills()[1]).toBe("2027-03-05T00:00Z 10000 USD fee:1:14 for 12 of small");
    expect(acme.schedule().subscription?.paidUntil).toBe(26);
  });

  test("starts a stretch with the planned interval at its current price", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "dearer");
    acme.changeInterval(BEGAN, "year");
    acme.changeInterval(BEGAN, "month");
    acme.settle("2026-02-02T00:00");
    acme.changeInterval("2026-02-02T00:00", "year");
    acme.feeGivenUp(GIVEN_UP, 1);
    acme.feePaid("2026-03-05T00:00", 1);
    expect(acme.bills().at(-1)).toBe("2026-03-05T00:00Z 15000 USD fee:1:2 for 12 of dearer");
    expect(acme.schedule().subscription).toMatchObject({ interval: "year", nextInterval: null });
    expect(acme.history().slice(-2)).toEqual([
      "2026-03-05T00:00Z restored dearer 1 by me",
      "2026-03-05T00:00Z interval_changed year month by me",
    ]);
  });

  test("charges add-ons for the current month once where it was withheld, when its usage is complete", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.addOn(BEGAN, "voice", 2);
    acme.feeGivenUp(GIVEN_UP, 1);
    acme.settle("2026-03-02T00:00");
    const before = acme.entries.length;
    acme.feePaid("2026-03-05T00:00", 1);
    expect(acme.schedule().dueCharges).toMatchObject([{ period: 2, units: 2, credits: 20n }]);
    acme.addOn("2026-03-05T00:05", "voice", 3);
    acme.settle("2026-03-05T00:15");
    expect(acme.story(before)).toEqual([
      "2026-03-05T00:00Z 100 plan:1:2",
      "2026-03-05T00:05Z -10 add-on:voice:1:2:2-3",
      "2026-03-05T00:00Z -20 add-on:voice:1:2:0-2",
    ]);
  });

  test("does not charge add-ons again where the month began with credits", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.addOn(BEGAN, "voice", 2);
    acme.feeGivenUp(GIVEN_UP, 1);
    acme.feePaid("2026-02-20T00:00", 1);
    expect(acme.schedule().dueCharges).toEqual([]);
  });

  test("lets a larger plan grant the difference, and costs the difference for the rest", () => {
    const acme = suspended();
    acme.feePaid("2026-03-05T00:00", 1);
    acme.changePlan("2026-03-06T00:00", "large");
    expect(acme.story().at(-1)).toBe("2026-03-06T00:00Z 200 plan:1:2:300");
    expect(acme.bills().at(-1)).toBe("2026-03-06T00:00Z 2000 USD fee:1:2:3000 for 1 of large");
  });

  test("when cancelled meanwhile grants the months of the year, then ends", () => {
    const acme = suspended("year");
    acme.cancel("2026-03-10T00:00");
    acme.feePaid("2026-04-10T00:00", 0);
    expect(lots(acme).slice(2)).toEqual([
      "plan:1:2 ends 2026-06-10T00:00Z",
      "plan:1:3 ends 2026-06-10T00:00Z",
    ]);
    acme.settle("2027-06-01T00:00");
    expect(acme.granted).toHaveLength(12);
    expect(acme.history().at(-1)).toBe("2027-01-01T00:00Z ended small by schedule");
    expect(acme.fees).toHaveLength(1);
  });

  test("when cancelled and past what was charged ends it immediately and charges nothing more", () => {
    const acme = suspended();
    acme.addOn(GIVEN_UP, "voice", 0);
    acme.settle("2026-03-10T00:00");
    acme.cancel("2026-03-10T00:00");
    const fees = acme.fees.length;
    expect(acme.feePaid("2026-03-20T00:00", 1)).toBe("changed");
    expect(acme.history().slice(-2)).toEqual([
      "2026-03-20T00:00Z restored small 1 by me",
      "2026-03-20T00:00Z ended small by me",
    ]);
    expect(acme.schedule()).toMatchObject({ subscription: null, addOns: [] });
    expect([acme.granted.length, acme.fees.length]).toEqual([2, fees]);
    expect(acme.subscribe("2026-03-20T00:00", "small")).toBe("changed");
    expect(acme.bills().at(-1)).toBe("2026-03-20T00:00Z 1000 USD fee:2:0 for 1 of small");
  });

  test("on a line that is nearly full is cut to what fits", () => {
    const acme = suspended("year");
    acme.settle("2026-05-20T00:00");
    const room = MAX_BIGINT - acme.account().granted;
    acme.grant("2026-05-20T00:00", "gift", room - 130n, { kind: "never" });
    acme.feePaid("2026-05-20T00:00", 0);
    expect(acme.story().slice(-2)).toEqual([
      "2026-05-20T00:00Z 100 plan:1:2",
      "2026-05-20T00:00Z 30 plan:1:3",
    ]);
    expect(acme.schedule().subscription).toMatchObject({ withheld: null, period: 4 });
  });

  test("repays debt, as one movement", () => {
    const acme = openPlay({ threshold: 0n });
    acme.subscribe(BEGAN, "small", { interval: "year" });
    acme.use(BEGAN, 150n);
    acme.feeGivenUp(GIVEN_UP, 0);
    acme.use(GIVEN_UP, 150n);
    acme.feePaid("2026-04-10T00:00", 0);
    expect(acme.balance()).toBe(100n);
    expect(acme.account().lowBalance).toBe(false);
    expect(acme.lowBalances).toHaveLength(2);
  });

  test("suspended and restored repeatedly, no month is granted or charged twice", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    for (const month of ["02", "03", "04", "05", "06", "07", "08"]) {
      for (const day of ["10", "12", "14"]) {
        acme.feeGivenUp(`2026-${month}-${day}T00:00`, 0);
        if (month !== "05") acme.feePaid(`2026-${month}-${day}T09:00`, 0);
      }
    }
    const months = ["0", "1", "2", "3", "4", "5", "6", "7"];
    expect(acme.granted.map(({ lotId }) => lotId)).toEqual(months.map((one) => `plan:1:${one}`));
    expect(acme.fees.map(({ paymentId }) => paymentId)).toEqual(
      months.map((one) => `fee:1:${one}`),
    );
  });
});

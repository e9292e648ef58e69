/**
 * Plans with a price: who may subscribe, when the first credits come, and what an open fee blocks.
 * A credit costs 10 cents a month (see account-in-play.ts).
 */
import { describe, expect, test } from "vitest";
import type { Fee, UnpaidFee } from "../../../shared/core/month/fee.ts";
import { openPlay } from "../month/account-in-play.ts";

const BEGAN = "2026-01-10T08:00";
const PAID = "2026-01-12T09:00";
const FEBRUARY = "2026-02-01T00:00";

type Play = ReturnType<typeof openPlay>;

function unpaid(acme: Play, status: UnpaidFee["status"], id = "fee:1:0"): UnpaidFee[] {
  return [{ ...feeOf(acme, id), status }];
}

function feeOf(acme: Play, id: string): Fee {
  const fee = acme.fees.find(({ paymentId }) => paymentId === id);
  if (fee === undefined) throw new Error(`no fee ${id} fell due`);
  return fee;
}

function lots(acme: Play): string[] {
  return acme.granted.map(
    ({ lotId, credits, expiresAt }) =>
      `${lotId} ${credits} ends ${expiresAt === null ? "never" : new Date(expiresAt).toISOString().slice(0, 16)}`,
  );
}

describe("an account that cannot pay", () => {
  test.each(["small", "paid"])("is refused plan %s, which has a price", (planId) => {
    const acme = openPlay();
    acme.pays(null);
    expect(acme.subscribe(BEGAN, planId)).toBe("no_way_to_pay");
    expect([acme.schedule().subscription, acme.fees, acme.entries]).toEqual([null, [], []]);
    acme.pays("payment_method");
    expect(acme.subscribe(BEGAN, planId)).toBe("changed");
  });

  test.each(["free", "free-paid"])(
    "gets plan %s, which costs nothing, and its credits",
    (planId) => {
      const acme = openPlay();
      acme.pays(null);
      expect(acme.subscribe(BEGAN, planId)).toBe("changed");
      expect(acme.granted.map(({ credits }) => credits)).toEqual([100n]);
    },
  );

  test("is refused what would cost money later: a dearer plan, now or planned, and resuming", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "large");
    acme.cancel(BEGAN);
    acme.pays(null);
    expect(acme.resume(PAID)).toBe("no_way_to_pay");
    expect(acme.changePlan(PAID, "small")).toBe("no_way_to_pay");
    expect(acme.changeInterval(PAID, "year")).toBe("no_way_to_pay");
    const free = openPlay();
    free.pays(null);
    free.subscribe(BEGAN, "free");
    expect(free.changePlan(PAID, "large")).toBe("no_way_to_pay");
  });
});

describe("the first credits of a plan that gives them when paid", () => {
  test("come with the fee's payment, once; their life counts from then", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid");
    expect([lots(acme), acme.entries]).toEqual([[], []]);
    const fee = feeOf(acme, "fee:1:0");
    expect(fee).toMatchObject({ amount: 1_000n, brings: { lotId: "plan:1:0", credits: 100n } });
    expect(acme.payFee(PAID, fee)).toBe("changed");
    expect(lots(acme)).toEqual(["plan:1:0 100 ends 2026-03-12T09:00"]);
    expect(acme.changes.map(({ kind }) => kind)).toEqual(["subscribed", "started"]);
    acme.settle(FEBRUARY);
    expect(acme.granted.map(({ lotId }) => lotId)).toEqual(["plan:1:0", "plan:1:1"]);
  });

  test("and months that begin unpaid bring nothing until then", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-31T08:00", "paid");
    acme.settle("2026-02-20T00:00");
    expect([acme.granted, acme.fees.length]).toEqual([[], 1]);
    acme.payFee("2026-02-20T00:00", feeOf(acme, "fee:1:0"));
    expect(acme.granted.map(({ lotId }) => lotId)).toEqual(["plan:1:0", "plan:1:1"]);
    expect(acme.fees.map(({ paymentId }) => paymentId)).toEqual(["fee:1:0", "fee:1:1"]);
  });

  test("never come if it fails: the subscription keeps waiting, and nothing is brought or charged", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid");
    expect(acme.feeGivenUp("2026-01-17T08:00", 0)).toBe("no_change");
    acme.settle("2026-05-01T00:00");
    expect([acme.granted, acme.fees.length, acme.balance()]).toEqual([[], 1, 0n]);
  });

  test("of a year: one month's credits with the year's fee, the others month by month", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid", { interval: "year" });
    acme.settle("2026-03-05T00:00");
    expect(acme.granted).toEqual([]);
    acme.payFee("2026-03-05T00:00", feeOf(acme, "fee:1:0"));
    expect(acme.granted.map(({ lotId }) => lotId)).toEqual(["plan:1:0", "plan:1:1", "plan:1:2"]);
    expect(acme.fees.length).toBe(1);
  });

  test("come immediately to an account that is invoiced elsewhere", () => {
    const acme = openPlay();
    acme.pays("invoiced_elsewhere");
    acme.subscribe(BEGAN, "paid");
    expect(acme.granted.map(({ credits }) => credits)).toEqual([100n]);
    expect(feeOf(acme, "fee:1:0").brings).toBe(null);
  });

  test("allow no add-on, no other plan and no other interval before they are paid", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid");
    acme.pays("payment_method", unpaid(acme, "pending"));
    expect(acme.addOn(PAID, "seat", 1)).toBe("subscription_suspended");
    expect(acme.changePlan(PAID, "large")).toBe("subscription_suspended");
    expect(acme.changeInterval(PAID, "year")).toBe("subscription_suspended");
  });
});

describe("cancelled before its first payment", () => {
  test("a subscription ends immediately, having brought nothing", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid");
    acme.pays("payment_method", unpaid(acme, "retrying"));
    acme.cancel(PAID);
    expect(acme.schedule().subscription).toBe(null);
    expect(acme.changes.map(({ kind }) => kind)).toEqual(["subscribed", "cancelled", "ended"]);
  });

  test("and paid all the same, as the gateway had it already, it brings what was paid for", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid");
    acme.pays("payment_method", unpaid(acme, "pending"));
    acme.cancel(PAID);
    expect(acme.subscribe(PAID, "small")).toBe("fee_unpaid");
    acme.payFee(PAID, feeOf(acme, "fee:1:0"));
    expect(acme.granted.map(({ lotId }) => lotId)).toEqual(["plan:1:0"]);
    expect(acme.schedule().subscription).toBe(null);
  });

  test("and failed, it is not owed: another subscription may begin", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "paid");
    acme.pays("payment_method", unpaid(acme, "failed"));
    acme.cancel(PAID);
    expect(acme.subscribe(PAID, "paid")).toBe("changed");
    expect(acme.granted).toEqual([]);
  });
});

describe("an open fee", () => {
  test.each(["pending", "retrying", "failed"] as const)(
    "that is %s blocks the next subscription: no second month for nothing",
    (status) => {
      const acme = openPlay();
      acme.subscribe(BEGAN, "large");
      acme.cancel(BEGAN);
      acme.pays("payment_method", unpaid(acme, status));
      expect(acme.subscribe("2026-02-02T00:00", "large")).toBe("fee_unpaid");
      expect(acme.granted.map(({ credits }) => credits)).toEqual([300n]);
      acme.pays("payment_method");
      expect(acme.subscribe("2026-02-02T00:00", "large")).toBe("changed");
    },
  );

  test.each(["retrying", "failed"] as const)(
    "that is %s refuses the difference to a larger plan; a smaller one may be planned",
    (status) => {
      const acme = openPlay();
      acme.subscribe(BEGAN, "medium");
      acme.pays("payment_method", unpaid(acme, status));
      expect(acme.changePlan(PAID, "large")).toBe("fee_unpaid");
      expect(acme.changePlan(PAID, "small")).toBe("changed");
      expect(acme.granted.map(({ credits }) => credits)).toEqual([200n]);
    },
  );

  test("whose difference has not come refuses a still larger plan", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.changePlan(PAID, "more-paid");
    acme.pays("payment_method", unpaid(acme, "pending", "fee:1:0:3000"));
    expect(acme.changePlan(PAID, "cheap")).toBe("fee_unpaid");
  });
});

describe("the difference to a larger plan that gives it when paid", () => {
  test("comes with its fee's payment; its life counts from then", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    expect(acme.changePlan(PAID, "more-paid")).toBe("changed");
    expect(acme.granted.map(({ credits }) => credits)).toEqual([100n]);
    acme.payFee("2026-01-13T09:00", feeOf(acme, "fee:1:0:3000"));
    expect(lots(acme).slice(1)).toEqual(["plan:1:0:300 200 ends 2026-03-13T09:00"]);
    expect(acme.changes.map(({ kind }) => kind)).toEqual([
      ...["subscribed", "plan_changed", "raise_paid"],
    ]);
  });

  test("never comes if it fails, and the subscription is suspended", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "small");
    acme.changePlan(PAID, "more-paid");
    acme.feeGivenUp("2026-01-19T09:00", 0);
    acme.settle("2026-03-02T00:00");
    expect(acme.granted.map(({ credits }) => credits)).toEqual([100n]);
    acme.payFee("2026-03-03T00:00", feeOf(acme, "fee:1:0:3000"));
    expect(acme.granted.map(({ lotId }) => lotId)).toEqual([
      ...["plan:1:0", "plan:1:0:300", "plan:1:2"],
    ]);
  });
});

describe("the first part of a month by its days", () => {
  test.each([
    { at: "2026-01-01T00:00", zone: "UTC", amount: 3_100n, credits: 310n },
    { at: "2026-01-10T08:00", zone: "UTC", amount: 2_200n, credits: 220n },
    { at: "2026-01-31T23:59", zone: "UTC", amount: 100n, credits: 10n },
    // Still 31 January in New York, already 1 February in Tokyo.
    { at: "2026-01-31T23:59", zone: "America/New_York", amount: 100n, credits: 10n },
    { at: "2026-01-31T23:59", zone: "Asia/Tokyo", amount: 3_100n, credits: 310n },
    // 19 of 28 days: 3100 * 19 / 28 = 2103.57, 310 * 19 / 28 = 210.36
    { at: "2026-02-10T08:00", zone: "UTC", amount: 2_103n, credits: 210n },
  ])("from $at in $zone: $amount and $credits, rounded down", ({ at, zone, amount, credits }) => {
    const acme = openPlay({ zone });
    acme.subscribe(at, "by-days");
    expect(acme.fees.map((fee) => fee.amount)).toEqual([amount]);
    expect(acme.granted.map((lot) => lot.credits)).toEqual([credits]);
  });

  test("the months after it are whole", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-31T08:00", "by-days");
    acme.settle(FEBRUARY);
    expect(acme.fees.map(({ amount }) => amount)).toEqual([100n, 3_100n]);
    expect(acme.granted.map(({ credits }) => credits)).toEqual([10n, 310n]);
  });

  test("is whole where months turn on the day of subscribing", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "by-days", { renewal: "day_of_month" });
    expect(acme.fees.map(({ amount }) => amount)).toEqual([3_100n]);
  });

  test("a larger plan within it costs and brings the same share of the difference", () => {
    const acme = openPlay();
    acme.subscribe(BEGAN, "by-days");
    acme.changePlan("2026-01-20T08:00", "more-by-days");
    expect(acme.fees.map(({ amount }) => amount)).toEqual([2_200n, 2_200n]);
    expect(acme.granted.map(({ credits }) => credits)).toEqual([220n, 220n]);
  });
});

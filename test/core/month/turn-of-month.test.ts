/**
 * The month, shown as entries: when they fell due, what they did to the balance, and their kind.
 *
 * - a turn's credits come at its instant, however late the usage before it is
 * - expiries and the turn's add-on charges come when the usage before them is complete: in the order in
 *   which they fell due, expiries first
 * - settling is one movement, and publishes a low balance once
 */
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { GRACE_MS } from "../../../shared/core/month/expiry.ts";
import { nextCredits } from "../../../shared/core/month/turn-of-month.ts";
import { CATALOGUE, iso, openPlay, type When } from "./account-in-play.ts";

function runningIn(play: ReturnType<typeof openPlay>) {
  const { subscription } = play.schedule();
  if (subscription === null) throw new Error("nothing runs");
  return subscription;
}

describe("a subscription", () => {
  test("grants the month's credits immediately, and at the first instant of each month", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-10T08:00", "small");
    acme.settle("2026-03-01T00:00");
    expect(acme.story()).toEqual([
      "2026-01-10T08:00Z 100 plan:1:0",
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-03-01T00:00Z 100 plan:1:2",
    ]);
  });

  test("grants nothing a millisecond before", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-10T08:00", "small");
    acme.settle("2026-01-31T23:59:59.999");
    expect(acme.story()).toHaveLength(1);
    expect(iso(acme.account().nextDueAt ?? 0)).toBe("2026-02-01T00:00Z");
  });

  test.each([
    ["small", 100n],
    ["by-days", 310n],
    // Its price and credits change on 15 March.
    ["growing", 150n],
  ])("of plan %s says beforehand what the next month brings: %s", (plan, credits) => {
    const acme = openPlay();
    acme.subscribe("2026-03-10T08:00", plan);
    expect(nextCredits(runningIn(acme), CATALOGUE)).toBe(credits);
    acme.settle("2026-04-01T00:00");
    expect(acme.granted.at(-1)?.credits).toBe(credits);
  });

  test("says so of the plan that it changes to, and of its end", () => {
    const acme = openPlay();
    acme.subscribe("2026-03-10T08:00", "medium");
    acme.changePlan("2026-03-11T08:00", "small");
    expect(nextCredits(runningIn(acme), CATALOGUE)).toBe(100n);
    acme.cancel("2026-03-12T08:00");
    expect(nextCredits(runningIn(acme), CATALOGUE)).toBeNull();
  });

  test("has its lot's source, reference and entry", () => {
    const acme = openPlay({ zone: "Europe/Berlin" });
    acme.subscribe("2026-01-10T08:00", "small");
    acme.settle("2026-01-31T23:00");
    expect(acme.granted[1]).toEqual({
      lotId: "plan:1:1",
      start: 100n,
      end: 200n,
      credits: 100n,
      source: "plan",
      reference: "small",
      grantedAt: Date.parse("2026-02-01T00:00+01:00"),
      expiresAt: Date.parse("2026-04-01T00:00+02:00"),
    });
    expect(acme.entries[1]).toEqual({
      accountId: "acme",
      sequence: 2n,
      kind: "grant",
      credits: 100n,
      granted: 200n,
      position: 0n,
      lotId: "plan:1:1",
      reference: "small",
      dueAt: Date.parse("2026-02-01T00:00+01:00"),
    });
  });

  test.each([
    { planId: "small", ends: ["2026-03-31T10:00Z", "2026-04-30T00:00Z"] },
    { planId: "brief", ends: ["2026-02-28T10:00Z", "2026-03-31T00:00Z"] },
    { planId: "lasting", ends: [null, null] },
  ])(
    "to plan $planId has a first lot that ends by the calendar, a turn's as a later period begins: $ends",
    ({ planId, ends }) => {
      const acme = openPlay();
      acme.subscribe("2026-01-31T10:00", planId, { renewal: "day_of_month" });
      acme.settle("2026-02-28T00:00");
      expect(acme.granted.map(({ expiresAt }) => expiresAt && iso(expiresAt))).toEqual(ends);
    },
  );

  test.each([
    { at: "2026-11-28T10:00", ends: "2027-01-28T10:00Z" },
    { at: "2026-01-31T10:00", ends: "2026-03-31T10:00Z" },
    { at: "2026-12-31T23:59", ends: "2027-02-28T23:59Z" },
  ])("begun at $at keeps its first credits until $ends", ({ at: begun, ends }) => {
    const acme = openPlay();
    acme.subscribe(begun, "small");
    expect(acme.granted.map(({ expiresAt }) => iso(expiresAt ?? 0))).toEqual([ends]);
    acme.settle(Date.parse(ends) - 1);
    expect(acme.left()["plan:1:0"]).toBe(100n);
    acme.settle(Date.parse(ends) + GRACE_MS);
    expect(acme.left()["plan:1:0"]).toBe(undefined);
  });

  test.each([
    {
      renewal: "first_of_month",
      turns: ["02-01", "03-01", "04-01", "05-01", "06-01"],
    },
    {
      renewal: "day_of_month",
      turns: ["02-28", "03-31", "04-30", "05-31", "06-30"],
    },
  ] as const)("begun on the 31st turns on its $renewal: $turns", ({ renewal, turns }) => {
    const acme = openPlay();
    acme.subscribe("2026-01-31T22:00", "small", { renewal });
    acme.settle("2026-06-30T00:00");
    const starts = acme.granted.map(({ grantedAt }) => iso(grantedAt));
    expect(starts).toEqual(["2026-01-31T22:00Z", ...turns.map((day) => `2026-${day}T00:00Z`)]);
  });

  test.each([
    { zone: "America/Sao_Paulo", at: "2018-10-04T15:00", turn: "2018-11-04T03:00Z" },
    { zone: "Asia/Beirut", at: "2022-02-27T15:00", turn: "2022-03-26T22:00Z" },
    { zone: "America/Havana", at: "2026-10-01T15:00", turn: "2026-11-01T04:00Z" },
    { zone: "America/St_Johns", at: "2009-10-01T15:00", turn: "2009-11-01T02:30Z" },
    { zone: "Africa/Cairo", at: "2024-10-01T15:00", turn: "2024-10-31T22:00Z" },
  ])("in $zone turns once where the clock jumps at midnight: $turn", ({ zone, at, turn }) => {
    const acme = openPlay({ zone });
    acme.subscribe(at, "small", { renewal: "day_of_month" });
    acme.settle(Date.parse(turn) - 1);
    expect(acme.story()).toHaveLength(1);
    for (const later of [0, 1, 30, 60, 90, 60 * 24]) acme.settle(Date.parse(turn) + later * 60_000);
    expect(acme.story(1)).toEqual([`${turn} 100 plan:1:1`]);
  });

  test("begun while the clock repeats October belongs to November", () => {
    const acme = openPlay({ zone: "America/St_Johns" });
    acme.subscribe("2009-11-01T02:45", "small");
    acme.settle("2009-11-30T12:00");
    expect(acme.story()).toHaveLength(1);
    expect(iso(acme.account().nextDueAt ?? 0)).toBe("2009-12-01T03:30Z");
  });

  test("follows the plan's version at each turn", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-10T08:00", "growing");
    acme.settle("2026-04-01T00:00");
    expect(acme.granted.map(({ credits }) => credits)).toEqual([50n, 50n, 50n, 150n]);
  });
});

describe("unused credits", () => {
  test("roll over, oldest used first, and expire after two months", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.use("2026-01-20T00:00", 30n);
    acme.settle("2026-02-15T00:00");
    expect(acme.left()).toEqual({ "plan:1:0": 70n, "plan:1:1": 100n });
    acme.use("2026-02-20T00:00", 50n);
    acme.settle("2026-03-01T00:15");
    expect(acme.left()).toEqual({ "plan:1:1": 100n, "plan:1:2": 100n });
    expect(acme.story(2)).toEqual([
      "2026-03-01T00:00Z 100 plan:1:2",
      "2026-03-01T00:00Z -20 expiry:plan:1:0",
    ]);
  });

  test("wait for the grace before they expire", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.settle("2026-03-01T00:14:59.999");
    expect(acme.left()["plan:1:0"]).toBe(100n);
    expect(iso(acme.account().nextDueAt ?? 0)).toBe("2026-03-01T00:00Z");
    acme.settle("2026-03-01T00:15");
    expect(acme.left()["plan:1:0"]).toBe(undefined);
  });
});

describe("on the first of the month", () => {
  test("usage finds the credits there: no debt and no low balance", () => {
    const acme = openPlay({ threshold: 0n });
    acme.subscribe("2026-01-31T12:00", "small");
    acme.use("2026-01-31T13:00", 99n);
    acme.use("2026-02-01T00:00", 50n);
    expect(acme.lowBalances).toEqual([]);
    expect(acme.balance()).toBe(51n);
  });

  test("late usage of the old month finds them too, and the expired lot still pays for it", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.use("2026-03-01T00:05", 40n, "2026-02-28T23:59");
    expect(acme.left()).toEqual({ "plan:1:0": 60n, "plan:1:1": 100n, "plan:1:2": 100n });
  });

  test("late usage read at the very instant of the turn finds the new credits", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-31T12:00", "small");
    acme.use("2026-02-01T00:00", 150n, "2026-01-31T23:00");
    expect(acme.left()).toEqual({ "plan:1:1": 50n });
  });

  test("the first usage of the new month posts what expired; usage from before gets it back", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.use("2026-03-01T00:05", 1n);
    expect(acme.left()).toEqual({ "plan:1:1": 99n, "plan:1:2": 100n });
    acme.use("2026-03-01T00:06", 9n, "2026-02-28T23:59");
    expect(acme.left()).toEqual({ "plan:1:1": 99n, "plan:1:2": 100n });
    acme.use("2026-03-01T00:07", 92n, "2026-02-28T23:59");
    expect(acme.left()).toEqual({ "plan:1:1": 98n, "plan:1:2": 100n });
  });

  test("an event whose clock is three minutes fast posts neither the turn nor its expiries", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.use("2026-02-28T23:58", 10n, "2026-03-01T00:01");
    expect(acme.story()).toHaveLength(2);
    expect(acme.left()).toEqual({ "plan:1:0": 90n, "plan:1:1": 100n });
  });
});

describe("while metering is down", () => {
  const outage = (clock: number) => {
    const from = Date.parse("2026-02-28T20:00Z");
    return clock >= from && clock < Date.parse("2026-03-02T09:00Z") ? from : clock - GRACE_MS;
  };

  test("credits come, nothing expires and no add-on is charged; then all of it is posted", () => {
    const acme = openPlay({ completeUntil: outage });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn("2026-01-01T00:00", "voice", 2);
    acme.settle("2026-02-28T23:00");
    const before = acme.story().length;
    acme.settle("2026-03-02T08:59");
    expect(acme.story(before)).toEqual(["2026-03-01T00:00Z 100 plan:1:2"]);
    // Read after the outage, it is paid by the lot that has expired meanwhile.
    acme.use("2026-03-02T08:59", 30n, "2026-02-28T22:00");
    expect(acme.left()["plan:1:0"]).toBe(30n);
    acme.settle("2026-03-02T09:00");
    expect(acme.story(before + 1)).toEqual([
      "2026-03-01T00:00Z -30 expiry:plan:1:0",
      "2026-03-01T00:00Z -20 add-on:voice:1:2:0-2",
    ]);
  });

  test("an account's own usage of the new month still posts earlier expiries", () => {
    const acme = openPlay({ completeUntil: outage });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.use("2026-03-01T08:00", 5n);
    expect(acme.left()).toEqual({ "plan:1:1": 95n, "plan:1:2": 100n });
  });

  test("usage is not complete before metering has ever read everything", () => {
    const acme = openPlay({ completeUntil: () => null });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.settle("2026-09-01T00:00");
    expect(acme.story()).toHaveLength(9);
    expect(acme.balance()).toBe(900n);
  });
});

describe("add-ons", () => {
  test("are charged at each turn after its expiries, whether or not the balance covers them", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn("2026-01-01T00:00", "voice", 3);
    acme.addOn("2026-01-01T00:00", "seat", 1);
    acme.settle("2026-02-01T00:00");
    expect(acme.schedule().dueCharges).toHaveLength(2);
    acme.settle("2026-02-01T00:15");
    expect(acme.story()).toEqual([
      "2026-01-01T00:00Z 100 plan:1:0",
      "2026-01-01T00:00Z -30 add-on:voice:1:0:0-3",
      "2026-01-01T00:00Z -5 add-on:seat:1:0:0-1",
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:00Z -5 add-on:seat:1:1:0-1",
      "2026-02-01T00:00Z -30 add-on:voice:1:1:0-3",
    ]);
    expect(acme.schedule().dueCharges).toEqual([]);
  });

  test("never draw on a lot that has ended", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn("2026-02-20T00:00", "voice", 2);
    acme.settle("2026-03-01T00:15");
    expect(acme.left()).toEqual({ "plan:1:1": 80n, "plan:1:2": 100n });
    expect(acme.story().slice(-2)).toEqual([
      "2026-03-01T00:00Z -80 expiry:plan:1:0",
      "2026-03-01T00:00Z -20 add-on:voice:1:2:0-2",
    ]);
  });

  test("are charged at the turn's price, however late they are posted", () => {
    const acme = openPlay({ completeUntil: () => null });
    acme.subscribe("2026-02-10T00:00", "small");
    acme.addOn("2026-02-10T00:00", "voice", 1);
    acme.settle("2026-03-20T00:00");
    acme.settle("2026-04-20T00:00");
    expect(acme.schedule().dueCharges.map(({ credits }) => credits)).toEqual([10n, 20n]);
  });

  test("that cost more than the line holds take what it holds", () => {
    const acme = openPlay({ completeUntil: () => null });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn("2026-01-01T00:00", "voice", 2);
    acme.settle("2026-02-01T00:00");
    acme.use("2026-02-01T00:00", MAX_BIGINT - acme.account().position - 7n, "2026-01-31T23:00");
    acme.use("2026-02-01T00:20", 0n);
    expect(acme.account().position).toBe(MAX_BIGINT);
    expect(acme.entries.at(-1)?.credits).toBe(-7n);
  });
});

describe("unsettled months", () => {
  test("are all posted together, each in order: credits, expiries, add-ons", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-05T00:00", "small");
    acme.addOn("2026-01-05T00:00", "voice", 1);
    acme.settle("2026-04-02T00:00");
    expect(acme.story(2)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-02-01T00:00Z -10 add-on:voice:1:1:0-1",
      "2026-03-01T00:00Z 100 plan:1:2",
      "2026-03-01T00:00Z -10 add-on:voice:1:2:0-1",
      "2026-03-05T00:00Z -70 expiry:plan:1:0",
      "2026-04-01T00:00Z 100 plan:1:3",
      "2026-04-01T00:00Z -100 expiry:plan:1:1",
      "2026-04-01T00:00Z -20 add-on:voice:1:3:0-1",
    ]);
    expect(acme.left()).toEqual({ "plan:1:2": 80n, "plan:1:3": 100n });
  });

  test("a turn within the grace of an expiry comes before it, as if settled on time", () => {
    const acme = openPlay();
    acme.grant("2025-11-30T23:50", "gift", 7n, { kind: "at", at: at("2026-01-31T23:50") });
    acme.grant("2025-11-30T23:30", "early", 7n, { kind: "at", at: at("2026-01-31T23:30") });
    acme.subscribe("2026-01-05T00:00", "small");
    acme.settle("2026-02-05T00:00");
    expect(acme.story(3)).toEqual([
      "2026-01-31T23:30Z -7 expiry:early",
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-01-31T23:50Z -7 expiry:gift",
    ]);
  });

  test("a turn at the very end of an expiry's grace comes before it", () => {
    const acme = openPlay();
    acme.grant("2025-11-30T23:45", "gift", 7n, { kind: "at", at: at("2026-01-31T23:45") });
    acme.subscribe("2026-01-05T00:00", "small");
    acme.settle("2026-02-05T00:00");
    expect(acme.story(2)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-01-31T23:45Z -7 expiry:gift",
    ]);
  });

  test("the order is the same when usage settles them", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-05T00:00", "small");
    acme.use("2026-04-02T00:00", 1n);
    expect(acme.story(1)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-03-01T00:00Z 100 plan:1:2",
      "2026-03-05T00:00Z -100 expiry:plan:1:0",
      "2026-04-01T00:00Z 100 plan:1:3",
      "2026-04-01T00:00Z -100 expiry:plan:1:1",
    ]);
  });

  test("what only the event makes due comes after the turn, in the order in which it fell due", () => {
    const acme = openPlay({ completeUntil: () => null });
    acme.subscribe("2026-01-01T00:00", "brief");
    acme.addOn("2026-01-05T00:00", "voice", 1);
    acme.grant("2026-01-06T00:00", "gift", 7n, { kind: "at", at: at("2026-02-10T00:00") });
    acme.use("2026-03-01T00:00", 1n, "2026-02-20T00:00");
    expect(acme.story(3)).toEqual([
      "2026-02-01T00:00Z 100 plan:1:1",
      "2026-03-01T00:00Z 100 plan:1:2",
      "2026-02-01T00:00Z -90 expiry:plan:1:0",
      "2026-02-01T00:00Z -10 add-on:voice:1:1:0-1",
    ]);
    expect(acme.left()).toEqual({ "plan:1:1": 96n, "plan:1:2": 100n });
  });
});

describe("a turn's low balance", () => {
  test("is decided once: credits make up for expiries and add-ons", () => {
    const acme = openPlay({ threshold: 50n });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn("2026-01-01T00:00", "voice", 2);
    acme.settle("2026-03-01T12:00");
    expect(acme.lowBalances).toEqual([]);
  });

  test("is published with the last entry, and again at a turn that leaves it low", () => {
    const acme = openPlay({ threshold: 50n });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.addOn("2026-01-01T00:00", "voice", 9);
    expect(acme.lowBalances).toMatchObject([{ crossing: 1n, cause: "entry:2", balance: 10n }]);
    acme.use("2026-01-10T00:00", 60n);
    acme.settle("2026-02-01T00:15");
    expect(acme.lowBalances.slice(1)).toMatchObject([
      { crossing: 2n, cause: "entry:4", balance: -40n, occurredAt: at("2026-02-01T00:00") },
    ]);
  });

  test("is armed again by the month's credits", () => {
    const acme = openPlay({ threshold: 50n });
    acme.subscribe("2026-01-01T00:00", "small");
    acme.use("2026-01-10T00:00", 60n);
    acme.settle("2026-02-01T00:00");
    expect(acme.account()).toMatchObject({ lowBalance: false, crossings: 1n });
    acme.use("2026-02-02T00:00", 90n);
    expect(acme.lowBalances).toMatchObject([{ cause: "event:e1" }, { cause: "event:e2" }]);
  });
});

describe("a line that is nearly full", () => {
  test("takes as much of a turn's lot as fits", () => {
    const acme = openPlay();
    acme.subscribe("2026-01-01T00:00", "small");
    acme.grant("2026-01-02T00:00", "gift", MAX_BIGINT - 130n, { kind: "never" });
    acme.settle("2026-03-01T00:00");
    expect(acme.story(2)).toEqual(["2026-02-01T00:00Z 30 plan:1:1"]);
    expect(acme.schedule().subscription?.period).toBe(2);
  });
});

test("a lot granted and moved in one movement is published at its final place", () => {
  const acme = openPlay();
  acme.subscribe("2026-01-01T00:00", "small");
  acme.grant("2026-01-02T00:00", "gift", 9n, { kind: "at", at: at("2026-02-02T00:00") });
  acme.settle("2026-02-03T00:00");
  expect(acme.granted.at(-1)).toMatchObject({ lotId: "plan:1:1", start: 100n, end: 200n });
  expect(acme.lots().at(-1)).toMatchObject({ lotId: "plan:1:1", start: 100n, end: 200n });
});

test("metering reports what a turn granted and changed, and what moved", () => {
  const acme = openPlay();
  acme.subscribe("2026-01-01T00:00", "small");
  acme.changePlan("2026-01-01T00:00", "brief");
  acme.grant("2026-01-02T00:00", "gift", 9n, { kind: "at", at: at("2026-02-02T00:00") });
  acme.use("2026-02-03T00:00", 1n);
  expect(acme.lots().map(({ start, end }) => [start, end])).toEqual([
    [0n, 100n],
    [100n, 100n],
    [100n, 200n],
  ]);
  expect(acme.history().at(-1)).toBe("2026-02-01T00:00Z plan_changed brief small by schedule");
  expect(acme.schedule().subscription?.planId).toBe("brief");
});

function at(when: When): number {
  return Date.parse(`${when}Z`);
}

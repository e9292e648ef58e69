import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planSteps } from "../../../shared/core/history/plan-charges.ts";
import {
  addCharge,
  addPlans,
  addUsage,
  creditsOf,
  differenceOf,
  type PlanBooks,
  type PricedUsage,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { SubscriptionChange } from "../../../shared/core/month/subscription.ts";
import { tieredPrice } from "../../../shared/core/offer/month-price.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import type { RequestedCatalogue } from "../../../shared/core/offer/requested-catalogue.ts";
import { statedCatalogue } from "../../../shared/core/offer/stated-catalogue.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { DAY, NOON } from "../../support/core/examples.ts";

const NOTHING_STATED: RequestedCatalogue = {
  meters: new Map(),
  plans: new Map(),
  addOns: new Map(),
  creditPrices: new Map(),
  names: [],
};
const place = { line: 1, field: "" };
const ACME = toAccountId("acme");

function version<T>(terms: T, from: Instant | null = null) {
  return { from, terms, place };
}

function plan(credits: bigint, monthly: bigint, yearly = monthly * 10n) {
  const prices = [{ currency: "USD", monthly, yearly }];
  const life = { kind: "usual" } as const;
  const first = { firstCredits: "immediately", firstMonth: "whole" } as const;
  return [version({ credits, life, ...first, prices })];
}

const CALL = { accountId: ACME, meter: "calls", occurredAt: NOON, dimensions: {} };

describe("usage under other rates", () => {
  test("halves of two events are one micro-credit, and a version without an instant holds until the next one", () => {
    const meters = new Map([
      ["calls", [version({ credits: 1n, per: 2n }), version({ credits: 5n, per: 1n }, NOON)]],
    ]);
    const other = statedCatalogue({ ...NOTHING_STATED, meters });
    const whatIf: WhatIf = new Map();
    const call = { accountId: ACME, meter: "calls", quantity: 1n, credits: 3n, dimensions: {} };
    addUsage(whatIf, { ...call, occurredAt: 0 }, toRates(other.card));
    addUsage(whatIf, { ...call, occurredAt: NOON - 1 }, toRates(other.card));
    addUsage(whatIf, { ...call, occurredAt: NOON }, toRates(other.card));
    expect(whatIf.get(ACME)?.meters.get("calls")).toMatchObject({
      ...{ count: 3, quantity: 3n, charged: 9n, wouldBe: 1n + 5n },
      noPrice: { count: 0 },
    });
  });

  test("is counted in tiers month by month, from the beginning of the range", () => {
    const tiers = tieredPrice([
      { upTo: 10n, credits: 3n, per: 1n },
      { upTo: null, credits: 1n, per: 2n },
    ]);
    const other = statedCatalogue({
      ...NOTHING_STATED,
      meters: new Map([["calls", [version(tiers)]]]),
    });
    const whatIf: WhatIf = new Map();
    const use = (quantity: bigint, occurredAt: Instant) =>
      addUsage(whatIf, { ...CALL, quantity, occurredAt, credits: 1n }, toRates(other.card));
    const [march, april] = [Date.UTC(2026, 2, 31), Date.UTC(2026, 3, 1)];
    use(8n, march);
    use(4n, april);
    use(5n, march);
    expect(whatIf.get(ACME)?.meters.get("calls")).toMatchObject({
      ...{ count: 3, quantity: 17n, wouldBe: 31n + 12n },
    });
  });

  test("is priced by its dimensions, and summed by the values of one of them", () => {
    const rates = [
      { patterns: ["large"], credits: 1n, per: 2n },
      { patterns: ["small-*"], credits: 1n, per: 3n },
    ];
    const meters = new Map([["calls", [version({ dimensions: ["model"], rates })]]]);
    const other = statedCatalogue({ ...NOTHING_STATED, meters });
    const whatIf: WhatIf = new Map();
    const use = (model: string, quantity: bigint, charged: bigint) =>
      addUsage(
        whatIf,
        { ...CALL, quantity, credits: charged, dimensions: { model, team: "a" } },
        toRates(other.card),
        "model",
      );
    use("large", 5n, 40n);
    use("small-1", 5n, 40n);
    use("large", 2n, 16n);
    use("tiny", 9n, 7n);
    use("", 1n, 3n);
    const { values = new Map(), meters: ofMeters = new Map() } = whatIf.get(ACME) ?? {};
    // 5/2, then 5/2 + 5/3 = 4 and a sixth, then 5 and a sixth.
    expect(Object.fromEntries(values)).toMatchObject({
      large: { count: 2, quantity: 7n, charged: 56n, wouldBe: 3n },
      "small-1": { count: 1, quantity: 5n, charged: 40n, wouldBe: 2n },
      tiny: { count: 0, wouldBe: 0n, noPrice: { count: 1, quantity: 9n, charged: 7n } },
      "": { noPrice: { count: 1, charged: 3n } },
    });
    expect(ofMeters.get("calls")).toMatchObject({
      ...{ count: 3, charged: 96n, wouldBe: 5n, noPrice: { count: 2, charged: 10n } },
    });
  });

  test("what has no price at that time is not compared", () => {
    const meters = new Map([["calls", [version({ credits: 5n, per: 1n }, NOON)]]]);
    const other = statedCatalogue({ ...NOTHING_STATED, meters });
    const whatIf: WhatIf = new Map();
    const usage = {
      accountId: ACME,
      quantity: 2n,
      credits: 7n,
      occurredAt: NOON - 1,
      dimensions: {},
    };
    addUsage(whatIf, { ...usage, meter: "calls" }, toRates(other.card));
    addUsage(whatIf, { ...usage, meter: "other" }, toRates(other.card));
    const charge = { accountId: ACME, addOnId: "voice", units: 3n, credits: 9n, dueAt: NOON };
    addCharge(whatIf, charge, other);
    for (const account of whatIf.values()) {
      expect(creditsOf(account)).toMatchObject({
        ...{ count: 0, charged: 0n, wouldBe: 0n },
        noPrice: { count: 3, charged: 23n },
      });
    }
  });

  test("the order of events changes nothing, and the same rates change no credit", () => {
    const rate = { credits: 3n, per: 7n };
    const other = statedCatalogue({
      ...NOTHING_STATED,
      meters: new Map([["calls", [version(rate)]]]),
    });
    const someQuantities = fc.array(fc.bigInt(0n, 100n), { minLength: 1 });
    const someRemainder = fc.bigInt(0n, rate.per - 1n);
    fc.assert(
      fc.property(someQuantities, someRemainder, (quantities, carried) => {
        let exact = carried;
        const usages = quantities.map((quantity) => {
          const before = exact / rate.per;
          exact += quantity * rate.credits;
          const credits = exact / rate.per - before;
          return { ...CALL, quantity, credits };
        });
        const compare = (all: readonly PricedUsage[]) => {
          const whatIf: WhatIf = new Map();
          for (const usage of all) addUsage(whatIf, usage, toRates(other.card));
          return whatIf;
        };
        const whatIf = compare(usages);
        expect(compare(usages.toReversed())).toEqual(whatIf);
        for (const account of whatIf.values()) expect(differenceOf(creditsOf(account))).toBe(0n);
      }),
    );
  });
});

describe("the same rates, where events outside of the range carry remainders", () => {
  const rate = { credits: 1n, per: 3n };
  const other = statedCatalogue({
    ...NOTHING_STATED,
    meters: new Map([["calls", [version(rate)]]]),
  });

  /** The difference of a range, whose events are marked among all that an account used, in metering's order. */
  function difference(events: readonly { quantity: bigint; isIn: boolean }[]): bigint {
    const whatIf: WhatIf = new Map();
    let exact = 0n;
    for (const { quantity, isIn } of events) {
      const before = exact / rate.per;
      exact += quantity * rate.credits;
      const credits = exact / rate.per - before;
      const usage = { ...CALL, quantity, credits };
      if (isIn) addUsage(whatIf, usage, toRates(other.card));
    }
    return [...whatIf.values()].reduce(
      (sum, account) => sum + differenceOf(creditsOf(account)),
      0n,
    );
  }

  test("a micro-credit that two events between those of the range completed is theirs", () => {
    const one = { quantity: 1n, isIn: false };
    const first = { quantity: 1n, isIn: true };
    expect(difference([first, one, one, { quantity: 2n, isIn: true }])).toBe(1n);
  });

  test("differ by nothing if the range's events are one run, else by at most a micro-credit for each run", () => {
    const event = fc.record({ quantity: fc.bigInt(0n, 10n), isIn: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const runs = events.filter(({ isIn }, at) => isIn && !events[at - 1]?.isIn).length;
        const by = difference(events);
        expect(by < 0n ? -by : by).toBeLessThanOrEqual(BigInt(runs > 1 ? runs : 0));
      }),
    );
  });
});

describe("plans under another catalogue", () => {
  const changes: SubscriptionChange[] = [
    change(1, "subscribed", NOON, { plan: "small", interval: "month", number: "1" }),
    change(2, "plan_changed", NOON + DAY, { plan: "large", before: "small" }),
  ];
  const month = { number: 1, period: 0, planId: "small", at: NOON };
  const history = { currency: "USD", months: [month], changes };

  test("a larger plan grants and costs the difference, which may be nothing", () => {
    expect(stepsUnder({ small: plan(100n, 10n), large: plan(300n, 25n) })).toEqual([
      { at: NOON, planId: "small", credits: 100n, price: 10n },
      { at: NOON + DAY, planId: "large", credits: 200n, price: 15n },
    ]);
    expect(stepsUnder({ small: plan(400n, 30n), large: plan(300n, 25n) })).toEqual([
      { at: NOON, planId: "small", credits: 400n, price: 30n },
      { at: NOON + DAY, planId: "large", credits: 0n, price: 0n },
    ]);
  });

  test("a month that cost nothing costs what the other catalogue says", () => {
    const [first] = stepsUnder({ small: plan(100n, 0n), large: plan(300n, 0n) });
    const [other] = stepsUnder({ small: plan(100n, 9n), large: plan(300n, 0n) });
    expect([first?.price, other?.price]).toEqual([0n, 9n]);
  });

  test("a paid year is charged as it begins, and its months cost nothing more", () => {
    const yearly = change(1, "subscribed", NOON, { plan: "small", interval: "year", number: "1" });
    const months = Array.from({ length: 13 }, (_, period) => {
      return { ...month, period, at: NOON + period * 30 * DAY };
    });
    const plans = new Map([["small", plan(100n, 10n, 99n)]]);
    const { catalogue } = statedCatalogue({ ...NOTHING_STATED, plans });
    const steps = planSteps({ currency: "USD", months, changes: [yearly] }, catalogue);
    expect(steps.map(({ price }) => price)).toEqual([99n, ...Array(11).fill(0n), 99n]);
  });

  test("a plan or price that the other catalogue lacks is left out, with everything that depends on it", () => {
    expect(stepsUnder({ large: plan(300n, 25n) })).toEqual([
      { at: NOON, planId: "small", credits: null, price: null },
      { at: NOON + DAY, planId: "large", credits: null, price: null },
    ]);
    const { catalogue } = statedCatalogue({
      ...NOTHING_STATED,
      plans: new Map(Object.entries({ small: plan(1n, 1n), large: plan(3n, 3n) })),
    });
    expect(planSteps({ ...history, currency: "EUR" }, catalogue)).toMatchObject([
      { credits: 1n, price: null },
      { credits: 2n, price: null },
    ]);
  });

  test("only what lies in the range is compared, given what came before", () => {
    const plans = new Map(Object.entries({ small: plan(150n, 5n), large: plan(300n, 25n) }));
    const books: PlanBooks = {
      ...{ accountId: ACME, currency: "USD", changes },
      lots: [
        { lotId: "plan:1:0", planId: "small", credits: 100n, at: NOON },
        { lotId: "plan:1:0:300", planId: "large", credits: 200n, at: NOON + DAY },
      ],
      fees: [{ planId: "large", amount: 15n, at: NOON + DAY }],
    };
    const whatIf: WhatIf = new Map();
    const other = statedCatalogue({ ...NOTHING_STATED, plans });
    addPlans(whatIf, books, other, { from: NOON + 1, to: NOON + 2 * DAY });
    expect(whatIf.get(ACME)?.plans).toEqual([
      {
        ...{ planId: "large", currency: "USD", given: 200n, wouldGive: 150n },
        ...{ charged: 15n, wouldCharge: 20n },
      },
    ]);
  });

  function stepsUnder(plans: Record<string, ReturnType<typeof plan>>) {
    const stated = { ...NOTHING_STATED, plans: new Map(Object.entries(plans)) };
    return planSteps(history, statedCatalogue(stated).catalogue);
  }
});

function change(
  sequence: number,
  kind: SubscriptionChange["kind"],
  at: Instant,
  detail: Record<string, string>,
): SubscriptionChange {
  return { sequence, kind, at, detail, by: "me" };
}

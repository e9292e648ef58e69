/**
 * - nothing that exists changes before the earliest instant possible, whatever is requested
 * - what was applied is unchanged when applied again, at any time
 * - one refusal means no changes
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AddOn, addOnAt, type Catalogue } from "../../../shared/core/offer/catalogue.ts";
import type { AddOnTerms, MeterTerms } from "../../../shared/core/offer/catalogue-terms.ts";
import { decideChanges } from "../../../shared/core/offer/change-catalogue.ts";
import { toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import type {
  RequestedCatalogue,
  RequestedVersion,
} from "../../../shared/core/offer/requested-catalogue.ts";

const NOW = 1000;
const EARLIEST = 1060;

describe("an add-on, at 1000 and with 1060 the earliest for what exists", () => {
  test.each([
    // What is new.
    { stands: "", asked: "5", is: "added 5 @1000" },
    { stands: "", asked: "5 @10", is: "added 5 @10" },
    { stands: "", asked: "5 @2000", is: "added 5 @2000" },
    { stands: "", asked: "5 @10, 6 @20", is: "added 5 @10, added 6 @20 was 5" },
    { stands: "", asked: "5, 6 @2000", is: "added 5 @1000, added 6 @2000 was 5" },
    { stands: "", asked: "5, 6 @1000", is: "version_overtaken 1000" },
    // What exists, without instants.
    { stands: "5 @10", asked: "5", is: "unchanged 5 @10" },
    { stands: "5 @10", asked: "6", is: "new_version 6 @1060 was 5" },
    { stands: "5 @10, 6 @1055", asked: "6", is: "unchanged 6 @1055" },
    { stands: "5 @10, 6 @1055", asked: "5", is: "new_version 5 @1060 was 6" },
    { stands: "5 @10, 6 @1055", asked: "7", is: "new_version 7 @1060 was 6" },
    { stands: "5 @10, 6 @1060", asked: "7", is: "version_planned 1060" },
    { stands: "5 @10, 6 @2000", asked: "6", is: "unchanged 6 @2000" },
    { stands: "5 @10, 6 @2000", asked: "5", is: "version_planned 2000" },
    { stands: "5 @2000", asked: "6", is: "version_planned 2000" },
    // Without an instant, with a version to follow.
    { stands: "5 @10", asked: "5, 6 @2000", is: "unchanged 5 @10, new_version 6 @2000 was 5" },
    { stands: "5 @10, 6 @2000", asked: "5, 6 @2000", is: "unchanged 5 @10, unchanged 6 @2000" },
    { stands: "5 @10, 6 @900", asked: "5, 6 @900", is: "unchanged 5 @10, unchanged 6 @900" },
    {
      stands: "5 @10, 6 @2000",
      asked: "7, 6 @2000",
      is: "new_version 7 @1060 was 5, unchanged 6 @2000",
    },
    { stands: "6 @2000", asked: "5, 6 @2000", is: "new_version 5 @1060, unchanged 6 @2000" },
    { stands: "5 @10, 6 @900", asked: "7, 6 @900", is: "version_overtaken 1060" },
    {
      stands: "5 @10, 6 @1061",
      asked: "7, 6 @1061",
      is: "new_version 7 @1060 was 5, unchanged 6 @1061",
    },
    { stands: "5 @10, 6 @1060", asked: "7, 6 @1060", is: "version_overtaken 1060" },
    // What exists, with instants.
    { stands: "5 @10", asked: "5 @10", is: "unchanged 5 @10" },
    { stands: "5 @10", asked: "6 @10", is: "version_exists" },
    { stands: "5 @10, 6 @2000", asked: "7 @2000", is: "version_exists" },
    { stands: "5 @10", asked: "6 @9", is: "too_early 1060" },
    { stands: "5 @10", asked: "6 @11", is: "too_early 1060" },
    { stands: "5 @10", asked: "5 @11", is: "too_early 1060" },
    { stands: "5 @10", asked: "6 @1059", is: "too_early 1060" },
    { stands: "5 @10", asked: "6 @1060", is: "new_version 6 @1060 was 5" },
    { stands: "5 @2000", asked: "6 @1059", is: "too_early 1060" },
    { stands: "5 @2000", asked: "6 @1060", is: "new_version 6 @1060" },
    { stands: "5 @10, 6 @900", asked: "7 @500", is: "too_early 1060" },
    { stands: "5 @10, 6 @2000", asked: "7 @1500", is: "new_version 7 @1500 was 5" },
    {
      stands: "5 @10",
      asked: "6 @1060, 7 @1070",
      is: "new_version 6 @1060 was 5, new_version 7 @1070 was 6",
    },
    { stands: "5 @10", asked: "6 @500, 7 @2000", is: "too_early 1060" },
  ])("that exists as '$stands' and is requested as '$asked': $is", ({ stands, asked, is }) => {
    expect(outcome(standing(stands), versions(asked))).toBe(is);
  });
});

test("a meter has its own earliest instant under the same rule", () => {
  const card = toRateCard([
    { meter: "calls", validFrom: 10, credits: 5n, per: 1n },
    { meter: "calls", validFrom: 20, credits: 6n, per: 1n },
  ]);
  const ask = (credits: bigint, per: bigint, from: number | null) =>
    decideChanges(
      { ...EMPTY, meters: new Map([["calls", [{ from, terms: { credits, per }, place: PLACE }]]]) },
      { ...context(standing("")), card, earliestRate: 1360 },
    );
  expect(ask(6n, 1n, null)).toMatchObject({
    changes: { meters: [{ kind: "unchanged", validFrom: 20 }] },
  });
  expect(ask(6n, 2n, null)).toMatchObject({
    changes: { meters: [{ kind: "new_version", validFrom: 1360 }] },
  });
  expect(ask(7n, 1n, 1359)).toMatchObject({ refusals: [{ kind: "too_early", earliest: 1360 }] });
});

test.each([
  { waitingSince: NOW - 7, from: null, begins: NOW - 7 },
  { waitingSince: NOW + 7, from: null, begins: NOW },
  { waitingSince: NOW - 7, from: NOW - 3, begins: NOW - 3 },
])(
  "a meter's first price of $from begins at $begins with usage that waits since $waitingSince",
  (given) => {
    const terms = { credits: 1n, per: 1n };
    const decision = decideChanges(
      { ...EMPTY, meters: new Map([["calls", [{ from: given.from, terms, place: PLACE }]]]) },
      { ...context(standing("")), waitingSince: new Map([["calls", given.waitingSince]]) },
    );
    expect(decision).toMatchObject({ changes: { meters: [{ validFrom: given.begins }] } });
  },
);

test("a meter with other rates is a new version; in another order it is not, and more may complete it", () => {
  const one = { patterns: ["gpt-5", "in"], credits: 5n, per: 1n };
  const band = { of: "size", from: 9n };
  const other = { patterns: ["gpt-*", null], band, credits: 7n, per: 2n };
  const { band: _, ...unbanded } = other;
  const dimensions = ["model", "kind"];
  const stands = rateTable({ meter: "t", validFrom: 10 }, { dimensions, rates: [one, other] });
  const ask = (terms: MeterTerms, from: number | null = null) =>
    decideChanges(
      { ...EMPTY, meters: new Map([["t", [{ from, terms, place: PLACE }]]]) },
      { ...context(standing("")), card: toRateCard([stands]) },
    );
  const turned = [
    { ...other, patterns: [null, "gpt-*"] },
    { ...one, patterns: ["in", "gpt-5"] },
  ];
  for (const same of [
    { dimensions, rates: [one, other] },
    { dimensions: ["kind", "model"], rates: turned },
  ]) {
    expect(ask(same)).toMatchObject({ changes: { meters: [{ kind: "unchanged" }] } });
  }
  const rest = { patterns: [null, null], credits: 1n, per: 1n };
  for (const from of [null, 10]) {
    expect(ask({ dimensions, rates: [rest, one, other] }, from)).toMatchObject({
      changes: {
        meters: [
          {
            ...{ kind: "completed", validFrom: 10 },
            ...{ terms: { rates: [one, other, rest] }, replaces: { rates: [one, other] } },
          },
        ],
      },
    });
  }
  for (const terms of [
    { dimensions, rates: [one] },
    { dimensions, rates: [{ ...one, credits: 6n }, other, rest] },
    { dimensions, rates: [one, { ...other, per: 3n }] },
    { dimensions, rates: [one, unbanded] },
    { dimensions, rates: [one, { ...other, band: { ...band, of: null } }] },
    { dimensions, rates: [one, { ...other, band: { ...band, from: 10n } }] },
    { dimensions, rates: [one, { ...other, patterns: ["gpt-*", "in"] }] },
    { dimensions: ["model", "sort"], rates: [one, other] },
    { dimensions, rates: turned },
    { credits: 5n, per: 1n },
  ]) {
    expect(ask(terms)).toMatchObject({
      changes: { meters: [{ kind: "new_version", replaces: { rates: [one, other] } }] },
    });
  }
});

test("a meter with another feed is a new version", () => {
  const feed = { eventType: "prompt", value: ["tokens"], dimensions: new Map([["m", ["m"]]]) };
  const stands = { meter: "calls", validFrom: 10, credits: 5n, per: 1n, feed };
  const ask = (terms: MeterTerms) =>
    decideChanges(
      { ...EMPTY, meters: new Map([["calls", [{ from: null, terms, place: PLACE }]]]) },
      { ...context(standing("")), card: toRateCard([stands]) },
    );
  const price = { credits: 5n, per: 1n };
  const same = { ...feed, value: ["tokens"], dimensions: new Map([["m", ["m"]]]) };
  expect(ask({ ...price, feed: same })).toMatchObject({
    changes: { meters: [{ kind: "unchanged" }] },
  });
  for (const terms of [
    price,
    { ...price, feed: { ...feed, value: null } },
    { ...price, feed: { ...feed, dimensions: new Map() } },
  ]) {
    expect(ask(terms)).toMatchObject({
      changes: { meters: [{ kind: "new_version", replaces: { feed } }] },
    });
  }
});

describe("names, which have no versions", () => {
  const growth = { what: "plan", id: "growth", name: "Growth", unit: null } as const;
  const unit = { one: "query", many: "queries" };
  const queries = { what: "meter", id: "growth", name: null, unit } as const;
  const ask = (names: RequestedCatalogue["names"], existing: RequestedCatalogue["names"]) => {
    const decision = decideChanges(
      { ...EMPTY, names },
      { ...context(standing("")), names: existing },
    );
    return decision.kind === "changes" ? decision.changes : decision;
  };
  test.each([
    { stands: [], asked: growth, is: { kind: "named", ...growth, replaces: null } },
    { stands: [growth], asked: growth, is: { kind: "unchanged", ...growth, replaces: null } },
    {
      stands: [growth],
      asked: { ...growth, name: "Grow" },
      is: { kind: "named", ...growth, name: "Grow", replaces: { name: "Growth", unit: null } },
    },
    // A meter of the same id is another thing.
    { stands: [growth], asked: queries, is: { kind: "named", ...queries, replaces: null } },
    // What is left out stays.
    {
      stands: [queries],
      asked: { ...queries, name: "Searches", unit: null },
      is: { kind: "named", ...queries, name: "Searches", replaces: { name: null, unit } },
    },
    {
      stands: [queries],
      asked: { ...queries, unit: { ...unit, one: "search" } },
      is: {
        kind: "named",
        ...queries,
        unit: { ...unit, one: "search" },
        replaces: { name: null, unit },
      },
    },
    {
      stands: [{ ...queries, name: "Searches" }],
      asked: queries,
      is: { kind: "unchanged", ...queries, name: "Searches", replaces: null },
    },
  ])("of $asked where $stands exist", ({ stands, asked, is }) => {
    expect(ask([asked], stands)).toEqual({
      ...{ meters: [], plans: [], addOns: [], creditPrices: [] },
      names: [is],
    });
  });
});

describe("a plan has changed when", () => {
  const plan = {
    credits: 5n,
    life: { kind: "months", months: 3 },
    firstCredits: "when_paid",
    firstMonth: "whole",
    prices: [
      { currency: "EUR", monthly: 10n, yearly: 100n },
      { currency: "USD", monthly: 11n, yearly: 110n },
    ],
  } as const;
  const [eur, usd] = plan.prices;
  test.each([
    ["nothing has", plan, "unchanged"],
    ["its prices come in another order", { ...plan, prices: [usd, eur] }, "unchanged"],
    ["its credits have", { ...plan, credits: 6n }, "new_version"],
    ["its life has", { ...plan, life: { kind: "months", months: 4 } }, "new_version"],
    ["its life has become another", { ...plan, life: { kind: "never" } }, "new_version"],
    [
      "its first credits come at another time",
      { ...plan, firstCredits: "immediately" },
      "new_version",
    ],
    ["its first month costs another part", { ...plan, firstMonth: "by_days" }, "new_version"],
    ["a currency has gone", { ...plan, prices: [eur] }, "new_version"],
    [
      "a currency has come",
      { ...plan, prices: [eur, usd, { ...usd, currency: "GBP" }] },
      "new_version",
    ],
    ["a monthly price has", { ...plan, prices: [eur, { ...usd, monthly: 12n }] }, "new_version"],
    ["a yearly price has", { ...plan, prices: [eur, { ...usd, yearly: 12n }] }, "new_version"],
  ] as const)("%s", (_, terms, kind) => {
    const catalogue = {
      ...standing(""),
      plans: new Map([["pro", [{ planId: "pro", validFrom: 10, ...plan }]]]),
    };
    const asked = { ...EMPTY, plans: new Map([["pro", [{ from: null, terms, place: PLACE }]]]) };
    expect(decideChanges(asked, context(catalogue))).toMatchObject({
      changes: { plans: [{ kind }] },
    });
  });
});

test("one refusal means no changes; all refusals are reported", () => {
  const place = (line: number) => ({ line, field: "" });
  const addOns = new Map([
    ["new", [{ from: null, terms: { credits: 1n }, place: place(1) }]],
    ["voice", [{ from: 10, terms: { credits: 1n }, place: place(2) }]],
    ["other", [{ from: 500, terms: { credits: 1n }, place: place(3) }]],
  ]);
  const catalogue = {
    ...standing("5 @10"),
    addOns: new Map([
      ["voice", [{ addOnId: "voice", validFrom: 10, credits: 5n }]],
      ["other", [{ addOnId: "other", validFrom: 10, credits: 5n }]],
    ]),
  };
  expect(decideChanges({ ...EMPTY, addOns }, context(catalogue))).toEqual({
    kind: "refused",
    refusals: [
      { kind: "version_exists", place: place(2) },
      { kind: "too_early", earliest: EARLIEST, place: place(3) },
    ],
  });
});

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 5 });
const history = fc
  .tuple(ids, fc.infiniteStream(fc.integer({ min: 1, max: 3 })), fc.boolean())
  .map(([starts, credits, plainly]) =>
    starts
      .sort((a, b) => a - b)
      .map((from, at) => version(plainly && at === 0 ? null : from, credits.next().value)),
  );

test("whatever is applied, the past does not change, and applying it again changes nothing", () => {
  fc.assert(
    fc.property(history, history, fc.nat(40), fc.nat(40), (first, second, now, later) => {
      const before = applied(standing(""), first, now) ?? standing("");
      const stood = before.addOns.get("voice") !== undefined;
      const after = applied(before, second, now);
      if (after === null) return;
      for (let at = 0; stood && at < now + 5; at++) {
        expect(addOnAt(after, "voice", at)).toEqual(addOnAt(before, "voice", at));
      }
      expect(applied(after, second, now + later)).toEqual(after);
    }),
    { numRuns: 2000 },
  );
});

/** The catalogue with the requested changes; null when they are refused. The margin here is 5. */
function applied(
  catalogue: Catalogue,
  asked: readonly RequestedVersion<AddOnTerms>[],
  now: number,
): Catalogue | null {
  const decision = decideChanges(
    { ...EMPTY, addOns: new Map([["voice", asked]]) },
    { ...context(catalogue), now, earliestTerms: now + 5 },
  );
  if (decision.kind === "refused") return null;
  const added = decision.changes.addOns
    .filter(({ kind }) => kind !== "unchanged")
    .map(({ validFrom, terms: { credits } }) => ({ addOnId: "voice", validFrom, credits }));
  const all = [...(catalogue.addOns.get("voice") ?? []), ...added];
  return withVoice(all.sort((a, b) => a.validFrom - b.validFrom));
}

function outcome(catalogue: Catalogue, asked: readonly RequestedVersion<AddOnTerms>[]): string {
  const addOns = new Map([["voice", asked]]);
  const decision = decideChanges({ ...EMPTY, addOns }, context(catalogue));
  if (decision.kind === "refused") {
    return decision.refusals
      .map((refusal) => {
        if (refusal.kind === "version_exists") return refusal.kind;
        return `${refusal.kind} ${refusal.kind === "version_planned" ? refusal.at : refusal.earliest}`;
      })
      .join(", ");
  }
  return decision.changes.addOns
    .map(({ kind, validFrom, terms, replaces }) => {
      const was = replaces === null ? "" : ` was ${replaces.credits}`;
      return `${kind} ${terms.credits} @${validFrom}${was}`;
    })
    .join(", ");
}

const PLACE = { line: 1, field: "" };
const EMPTY: RequestedCatalogue = {
  meters: new Map(),
  plans: new Map(),
  addOns: new Map(),
  creditPrices: new Map(),
  names: [],
};

function context(catalogue: Catalogue) {
  return {
    catalogue,
    card: toRateCard([]),
    names: [],
    now: NOW,
    earliestRate: EARLIEST,
    earliestTerms: EARLIEST,
    waitingSince: new Map<string, number>(),
  };
}

/** "5 @10, 6": 5 credits from 10 on, then 6 without an instant. */
function versions(text: string): RequestedVersion<AddOnTerms>[] {
  return text
    .split(", ")
    .filter((part) => part !== "")
    .map((part) => {
      const [credits = "", from] = part.split(" @");
      return version(from === undefined ? null : Number(from), Number(credits));
    });
}

function version(from: number | null, credits: number): RequestedVersion<AddOnTerms> {
  return { from, terms: { credits: BigInt(credits) }, place: PLACE };
}

function standing(text: string): Catalogue {
  return withVoice(
    versions(text).map(({ from, terms: { credits } }) => ({
      addOnId: "voice",
      validFrom: from ?? 0,
      credits,
    })),
  );
}

function withVoice(voice: readonly AddOn[]): Catalogue {
  const addOns = new Map(voice.length === 0 ? [] : [["voice", voice] as const]);
  return { plans: new Map(), addOns, creditPrices: new Map() };
}

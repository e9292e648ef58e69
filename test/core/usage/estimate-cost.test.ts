/**
 * - with an account's remainders, each line costs what metering it then draws
 * - without an account, the cost of a line and of all of them lies within their bounds, whatever was carried; months
 *   are counted from 0
 * - what has no price says why, and the rest is priced
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { tieredPrice } from "../../../shared/core/offer/month-price.ts";
import { type MeterVersion, type Rate, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { estimateCost, type UsageToCome } from "../../../shared/core/usage/estimate-cost.ts";
import { meterEvents } from "../../../shared/core/usage/events-in-batch.ts";
import { accountWith, eventWith, NOON } from "../../support/core/examples.ts";
import { cpuTimeOf } from "../../support/cpu-time.ts";

const CHAT = rateTable(
  { meter: "chat", validFrom: 0 },
  {
    dimensions: ["model"],
    rates: [
      { patterns: ["large"], credits: 1n, per: 2n },
      { patterns: ["small-*"], credits: 1n, per: 3n },
    ],
  },
);
const BYTES: Rate = { meter: "bytes", validFrom: 0, credits: 7n, per: 1_000n };
const ROUNDED: Rate = { meter: "rounded", validFrom: 0, credits: 7n, per: 10n, roundsEach: true };
const CALLS: Rate = { meter: "calls", validFrom: 0, credits: 2n, per: 1n };
const LATER: Rate = { meter: "calls", validFrom: NOON + 1, credits: 5n, per: 1n };
const COMING: Rate = { meter: "coming", validFrom: NOON + 1, credits: 5n, per: 1n };
const PAGES: Rate = {
  ...{ meter: "pages", validFrom: 0 },
  ...tieredPrice([
    { upTo: 500n, credits: 3n, per: 1n },
    { upTo: null, credits: 1n, per: 7n },
  ]),
};
const TEXTS: Rate = {
  ...{ meter: "texts", validFrom: 0, credits: 9n, per: 70n },
  roundUp: "each_month",
};
const CARD = toRateCard([CHAT, BYTES, ROUNDED, CALLS, LATER, COMING, PAGES, TEXTS]);

const somePart = fc.record({
  meter: fc.constantFrom("chat", "bytes", "rounded", "calls", "pages", "texts"),
  quantity: fc.bigInt(0n, 2_000n),
  occurredAt: fc.constantFrom(NOON, NOON + 1),
  dimensions: fc.constantFrom({ model: "large" }, { model: "small-1" }),
});
const someUsage = fc.array(somePart, { maxLength: 12 });
/** What of a version's units is carried, in parts of 6,000. */
const someCarried = fc
  .tuple(fc.bigInt(0n, 5_999n), fc.bigInt(0n, 5_999n))
  .map(([a, b]): [MeterVersion, bigint][] => [
    [CHAT, (a * CHAT.per) / 6_000n],
    [BYTES, (b * BYTES.per) / 6_000n],
  ]);

function metered(usages: readonly UsageToCome[], carried: ReadonlyMap<MeterVersion, bigint>) {
  const context = {
    rates: toRates(CARD),
    accounts: new Map([["acme", accountWith()]]),
    books: new Map(),
    expired: new Map(),
    recorded: new Map(),
    carried: new Map([["acme", carried]]),
  };
  const events = usages.map((usage, at) => eventWith({ ...usage, eventId: `e${at}` }));
  const { drawn } = meterEvents(events, context, () => 0n);
  return drawn.map(({ credits }) => credits);
}

const total = (all: readonly bigint[]) => all.reduce((sum, each) => sum + each, 0n);

const costs = ({ lines }: ReturnType<typeof estimateCost>) =>
  lines.map((line) => (line.kind === "priced" ? line.cost : null));

test("with what an account has carried along, usage costs what metering then draws", () => {
  fc.assert(
    fc.property(someUsage, someCarried, (usages, remainders) => {
      const carried = new Map(remainders);
      const drawn = metered(usages, carried);
      const estimate = estimateCost(CARD, usages, carried);
      expect(costs(estimate)).toEqual(drawn.map((credits) => ({ least: credits, most: credits })));
      expect(estimate.total).toEqual({ least: total(drawn), most: total(drawn) });
      expect(carried).toEqual(new Map(remainders));
    }),
  );
});

test("without an account, it costs at least and at most what any account draws", () => {
  fc.assert(
    fc.property(someUsage, someCarried, (usages, remainders) => {
      const drawn = metered(usages, new Map(remainders));
      const estimate = estimateCost(CARD, usages, null);
      const bounds = costs(estimate);
      for (const [at, credits] of drawn.entries()) {
        const { least = -1n, most = -1n } = bounds[at] ?? {};
        expect(credits >= least && credits <= most && most - least <= 1n).toBe(true);
      }
      const { least, most } = estimate.total;
      expect(total(drawn) >= least && total(drawn) <= most).toBe(true);
      // Two versions have remainders, however many lines there are.
      expect(most - least <= 2n).toBe(true);
    }),
  );
});

test("an account exists for each bound", () => {
  const usages = [1n, 1n, 1n].map((quantity) => ({ ...part("chat", quantity) }));
  const { total: bounds } = estimateCost(CARD, usages, null);
  expect(bounds).toEqual({ least: 1n, most: 2n });
  expect(total(metered(usages, new Map()))).toBe(1n);
  expect(total(metered(usages, new Map([[CHAT, 5n]])))).toBe(2n);
});

test("what has no price says why in the words of its dead letter, and the rest is priced", () => {
  const usages = [
    part("none", 1n),
    part("calls", 3n),
    part("coming", 1n),
    { ...part("chat", 1n), dimensions: { model: "tiny" } },
  ];
  const { lines, total } = estimateCost(CARD, usages, new Map());
  expect(lines).toMatchObject([
    { kind: "unpriced", reason: "unknown_meter", detail: "meter none has no price; set one" },
    { kind: "priced", rate: CALLS, cost: { least: 6n, most: 6n } },
    {
      reason: "no_price",
      detail:
        "meter coming had no price yet when this occurred; its first is from 2026-11-22T12:00:00.001Z on",
    },
    {
      reason: "no_price",
      detail:
        "meter chat has no rate for model=tiny; the nearest are for model=large; model=small-*",
    },
  ]);
  expect(total).toEqual({ least: 6n, most: 6n });
});

test("of many usages without a rate, the nearest are named for the first ten", () => {
  const usages = Array.from({ length: 13 }, (_, at) => ({
    ...part(at % 7 === 5 ? "none" : "chat", 1n),
    dimensions: { model: `tiny-${at}` },
  }));
  const details = estimateCost(CARD, usages, null).lines.map((line) =>
    line.kind === "unpriced" ? line.detail : "",
  );
  expect(details.filter((detail) => detail.includes("the nearest are for"))).toHaveLength(10);
  for (const at of [5, 12]) expect(details[at]).toBe("meter none has no price; set one");
  expect(details[11]).toBe("meter chat has no rate for this; alone, the nearest are named");
});

test("a thousand usages without a rate among twenty thousand take no longer than they may", () => {
  const rates = Array.from({ length: 20_000 }, (_, at) => ({
    ...{ patterns: [`vendor/model-${at}`, "input"], credits: 1n, per: 1n },
  }));
  const named = { meter: "many", validFrom: 0 };
  const card = toRateCard([rateTable(named, { dimensions: ["model", "kind"], rates })]);
  const usages = Array.from({ length: 1_000 }, (_, at) => ({
    ...part("many", 1n),
    dimensions: { model: `vendor/model-${at}x`, kind: "output" },
  }));
  const first = cpuTimeOf(() => estimateCost(card, usages.slice(0, 10), null));
  expect(cpuTimeOf(() => estimateCost(card, usages, null))).toBeLessThan(10 * first + 100);
});

test("a band prices all of a usage that reaches it, and none of another", () => {
  const rates = [
    { patterns: [], credits: 2n, per: 1n },
    { patterns: [], band: { of: null, from: 10n }, credits: 3n, per: 1n },
  ];
  const seconds = rateTable({ meter: "seconds", validFrom: 0 }, { dimensions: [], rates });
  const usages = [part("seconds", 9n), part("seconds", 10n), part("seconds", 9n)];
  const { total } = estimateCost(toRateCard([seconds]), usages, null);
  expect(total).toEqual({ least: 18n + 30n + 18n, most: 66n });
});

test("a planned price holds from its instant on", () => {
  const usages = [part("calls", 1n), { ...part("calls", 1n), occurredAt: NOON + 1 }];
  expect(costs(estimateCost(CARD, usages, null))).toEqual([
    { least: 2n, most: 2n },
    { least: 5n, most: 5n },
  ]);
});

function part(meter: string, quantity: bigint): UsageToCome {
  return { meter, quantity, occurredAt: NOON, dimensions: { model: "large" } };
}

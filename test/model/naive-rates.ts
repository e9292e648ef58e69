import type { OwnTerms } from "../../shared/core/offer/own-terms.ts";
import type { MeterVersion, StatedRate } from "../../shared/core/offer/rate-card.ts";
import type { UsageEvent } from "../../shared/core/usage/usage-event.ts";

/** The exact price of an event: `parts / whole` micro-credits, under the version of an instant. */
export interface NaivePrice {
  readonly validFrom: number;
  readonly parts: bigint;
  readonly whole: bigint;
  /** What all usage of the event's month costs, in such parts; null: the event has a price by itself. */
  readonly ofMonth: OfMonth | null;
}

type OfMonth = (used: bigint) => bigint;

/** Looks through everything, by the rules in docs/rules.md. */
export function naivePrice(
  event: UsageEvent,
  versions: readonly MeterVersion[],
  ownTerms: readonly OwnTerms[] = [],
): NaivePrice | "unknown_meter" | "no_price" {
  const ofMeter = versions.filter(({ meter }) => meter === event.meter);
  if (ofMeter.length === 0) return "unknown_meter";
  const listed = latest(ofMeter, event.occurredAt);
  if (listed === null) return "no_price";
  const stated = "rates" in listed ? ratesIn(listed.dimensions, listed.rates) : onePrice(listed);
  const list = priceUnder(stated, event);
  const mine = ownTerms.filter(
    ({ accountId, meter, validFrom }) =>
      accountId === event.accountId &&
      (meter === null || meter === event.meter) &&
      validFrom <= event.occurredAt,
  );
  const ofThisMeter = mine.filter(({ meter }) => meter !== null);
  const terms = latest(ofThisMeter.length > 0 ? ofThisMeter : mine, event.occurredAt);
  const validFrom = Math.max(listed.validFrom, ...mine.map((one) => one.validFrom));
  const { parts, whole, ofMonth } = terms === null ? list : priceOfOwn(terms, list, event);
  return parts === null ? "no_price" : { validFrom, parts, whole, ofMonth };
}

/** `parts` null: none of the rates is for the event. */
interface Price {
  readonly parts: bigint | null;
  readonly whole: bigint;
  readonly ofMonth: OfMonth | null;
}

interface Stated {
  readonly dimensions: readonly string[];
  readonly rates: readonly StatedRate[];
}

function priceOfOwn({ pricing }: OwnTerms, list: Price, event: UsageEvent): Price {
  if (pricing.kind === "discount") {
    const left = 10_000n - BigInt(pricing.basisPoints);
    return inParts(list, left, list.whole * 10_000n);
  }
  const { terms } = pricing;
  const own = priceUnder("rates" in terms ? terms : onePrice(terms), event);
  const whole = own.whole * list.whole;
  return own.parts === null ? inParts(list, own.whole, whole) : inParts(own, list.whole, whole);
}

/** The same, each part divided into some. */
function inParts({ parts, ofMonth }: Price, times: bigint, whole: bigint): Price {
  return {
    ...{ parts: parts && parts * times, whole },
    ofMonth: ofMonth && ((used) => ofMonth(used) * times),
  };
}

function latest<T extends { readonly validFrom: number }>(all: readonly T[], at: number): T | null {
  let found: T | null = null;
  for (const one of all) {
    if (one.validFrom > at) continue;
    if (found === null || one.validFrom > found.validFrom) found = one;
  }
  return found;
}

type OnePrice = Pick<StatedRate, "credits" | "per" | "roundUp" | "tiers">;

function onePrice({ credits, per, roundUp, tiers }: OnePrice): Stated {
  const rounded = roundUp === undefined ? {} : { roundUp };
  const tiered = tiers === undefined ? {} : { tiers };
  return { dimensions: [], rates: [{ patterns: [], credits, per, ...rounded, ...tiered }] };
}

function ratesIn(
  dimensions: readonly string[],
  rates: readonly { readonly stated: StatedRate }[],
): Stated {
  return { dimensions, rates: rates.map(({ stated }) => stated) };
}

function priceUnder(
  { dimensions: names, rates }: Stated,
  { quantity, dimensions }: UsageEvent,
): Price {
  const values = names.map((name) => dimensions[name] ?? "");
  const chosen = naiveChoice(rates, values);
  const alike = rates.filter((rate) => isSameList(rate.patterns, chosen?.patterns));
  const rate = chosen === null ? null : naiveBand(alike, { quantity, dimensions });
  if (rate?.tiers !== undefined || rate?.roundUp === "each_month") return priceOfMonth(rate);
  // Any multiple of all units will do: their product.
  const whole = rates.reduce((product, { per }) => product * per, 1n);
  const parts = rate && (naiveUnits(rate, quantity) * rate.credits * whole) / rate.per;
  return { parts, whole, ofMonth: null };
}

function priceOfMonth({ credits, per, tiers }: OnePrice): Price {
  if (tiers === undefined) {
    const ofMonth = (used: bigint) => (used / per + (used % per === 0n ? 0n : 1n)) * credits;
    return { parts: 0n, whole: 1n, ofMonth };
  }
  const whole = tiers.reduce((product, tier) => product * tier.per, 1n);
  const ofMonth = (used: bigint) => {
    let [left, passed, sum] = [used, 0n, 0n];
    for (const tier of tiers) {
      const room = tier.upTo === null ? left : tier.upTo - passed;
      const taken = left < room ? left : room;
      sum += (taken * tier.credits * whole) / tier.per;
      left -= taken;
      passed += room;
    }
    return sum;
  };
  return { parts: 0n, whole, ofMonth };
}

/** The units that are paid for: single ones, or whole packages. */
function naiveUnits({ per, roundUp }: Pick<StatedRate, "per" | "roundUp">, quantity: bigint) {
  if (roundUp === undefined) return quantity;
  const left = quantity % per;
  return left === 0n ? quantity : quantity - left + per;
}

/** Of the rates that match, the one that every other one is wider than, or as wide as. */
export function naiveChoice<R extends Pick<StatedRate, "patterns">>(
  rates: readonly R[],
  values: readonly string[],
): R | null {
  const matching = rates.filter(({ patterns }) =>
    values.every((value, i) => fits(value, patterns[i])),
  );
  const isNarrowest = ({ patterns }: R) =>
    matching.every((other) =>
      patterns.every((pattern, i) => length(pattern) >= length(other.patterns[i])),
    );
  return matching.find(isNarrowest) ?? null;
}

function isSameList(a: readonly unknown[], b: readonly unknown[] | undefined): boolean {
  return a.length === b?.length && a.every((item, i) => item === b[i]);
}

/** Of the rates for the same values, the one that begins highest among those that the event reaches. */
function naiveBand<R extends Pick<StatedRate, "band">>(
  rates: readonly R[],
  { quantity, dimensions }: Pick<UsageEvent, "quantity" | "dimensions">,
): R | null {
  let highest: R | null = null;
  for (const rate of rates) {
    const of = rates.find(({ band }) => band !== undefined)?.band?.of ?? null;
    const number = naiveNumber(of === null ? String(quantity) : dimensions[of] || "0");
    if (number === null) return null;
    const from = rate.band?.from ?? 0n;
    if (from <= number && (highest === null || from > (highest.band?.from ?? 0n))) highest = rate;
  }
  return highest;
}

function naiveNumber(text: string): bigint | null {
  if (text.length > 19 || [...text].some((digit) => !"0123456789".includes(digit))) return null;
  return BigInt(text) < 2n ** 63n ? BigInt(text) : null;
}

function fits(value: string, pattern: string | null | undefined): boolean {
  if (pattern === null || pattern === undefined) return true;
  if (value === "") return false;
  return pattern.endsWith("*") ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

/** How much of a value that it fits a pattern says: a whole value more than anything that it begins with. */
function length(pattern: string | null | undefined): number {
  if (pattern === null || pattern === undefined) return 0;
  return pattern.endsWith("*") ? pattern.length - 1 : pattern.length + 1;
}

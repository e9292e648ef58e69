import type { OwnTerms } from "../../shared/core/offer/own-terms.ts";
import type { MeterVersion, StatedRate } from "../../shared/core/offer/rate-card.ts";
import type { UsageEvent } from "../../shared/core/usage/usage-event.ts";

/** The exact price of an event: `parts / whole` micro-credits, under the version of an instant. */
export interface NaivePrice {
  readonly validFrom: number;
  readonly parts: bigint;
  readonly whole: bigint;
}

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
  const { parts, whole } = terms === null ? list : priceOfOwn(terms, list, event);
  return parts === null ? "no_price" : { validFrom, parts, whole };
}

/** `parts` null: none of the rates is for the event. */
interface Price {
  readonly parts: bigint | null;
  readonly whole: bigint;
}

interface Stated {
  readonly dimensions: readonly string[];
  readonly rates: readonly StatedRate[];
}

function priceOfOwn({ pricing }: OwnTerms, list: Price, event: UsageEvent): Price {
  if (pricing.kind === "discount") {
    const left = 10_000n - BigInt(pricing.basisPoints);
    return { parts: list.parts && list.parts * left, whole: list.whole * 10_000n };
  }
  const { terms } = pricing;
  const own = priceUnder("rates" in terms ? terms : onePrice(terms), event);
  const whole = own.whole * list.whole;
  if (own.parts !== null) return { parts: own.parts * list.whole, whole };
  return { parts: list.parts && list.parts * own.whole, whole };
}

function latest<T extends { readonly validFrom: number }>(all: readonly T[], at: number): T | null {
  let found: T | null = null;
  for (const one of all) {
    if (one.validFrom > at) continue;
    if (found === null || one.validFrom > found.validFrom) found = one;
  }
  return found;
}

function onePrice({
  credits,
  per,
  roundUp,
}: Pick<StatedRate, "credits" | "per" | "roundUp">): Stated {
  const rounded = roundUp === undefined ? {} : { roundUp };
  return { dimensions: [], rates: [{ patterns: [], credits, per, ...rounded }] };
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
  // Any multiple of all units will do: their product.
  const whole = rates.reduce((product, { per }) => product * per, 1n);
  return {
    parts: rate === null ? null : (naiveUnits(rate, quantity) * rate.credits * whole) / rate.per,
    whole,
  };
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

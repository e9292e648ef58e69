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
  { meter, occurredAt, dimensions, quantity }: UsageEvent,
  versions: readonly MeterVersion[],
): NaivePrice | "unknown_meter" | "no_price" {
  const ofMeter = versions.filter((version) => version.meter === meter);
  if (ofMeter.length === 0) return "unknown_meter";
  let valid: MeterVersion | null = null;
  for (const version of ofMeter) {
    if (version.validFrom > occurredAt) continue;
    if (valid === null || version.validFrom > valid.validFrom) valid = version;
  }
  if (valid === null) return "no_price";
  const { validFrom } = valid;
  if (!("rates" in valid)) return { validFrom, parts: quantity * valid.credits, whole: valid.per };
  const stated = valid.rates.map((rate) => rate.stated);
  const values = valid.dimensions.map((name) => dimensions[name] ?? "");
  const chosen = naiveChoice(stated, values);
  const alike = stated.filter((rate) => isSameList(rate.patterns, chosen?.patterns));
  const rate = chosen === null ? null : naiveBand(alike, { quantity, dimensions });
  if (rate === null) return "no_price";
  // Any multiple of all units will do: their product.
  const whole = stated.reduce((product, { per }) => product * per, 1n);
  return { validFrom, parts: (quantity * rate.credits * whole) / rate.per, whole };
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

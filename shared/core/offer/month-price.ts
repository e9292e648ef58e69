import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import {
  type AccountVersion,
  type Cost,
  costOf,
  countsMonth,
  isOwn,
  isOwnRate,
  isTable,
  packagesOf,
  type Rate,
  type Tier,
  type UnitPrice,
} from "./rate-card.ts";
import { commonPer } from "./rate-table.ts";

/** The price of a month's usage in tiers, the first one first; each begins where the one before ends. */
export function tieredPrice(tiers: readonly Tier[]): UnitPrice {
  const [first] = tiers;
  if (first === undefined) throw new RangeError("there is no tier");
  const per = commonPer(tiers);
  return { credits: first.credits * (per / first.per), per, tiers };
}

/** A month in which usage of a version is counted: one object for each, so that maps find it. */
export interface CountedMonth {
  readonly of: AccountVersion;
  /** Its first instant, in UTC: an account's zone may change, and what was counted would no longer fit. */
  readonly month: Instant;
}

const known = new WeakMap<AccountVersion, Map<Instant, CountedMonth>>();

/** The month of a version in which usage at an instant counts. */
export function countedMonth(version: AccountVersion, at: Instant): CountedMonth {
  const day = new Date(at);
  const month = Date.UTC(day.getUTCFullYear(), day.getUTCMonth());
  const months = known.get(version) ?? new Map<Instant, CountedMonth>();
  known.set(version, months);
  const counted = months.get(month) ?? { of: version, month };
  months.set(month, counted);
  return counted;
}

/** True if some usage under a version is priced by what was used before in its month. */
export function mayCount(version: AccountVersion): boolean {
  if (isTable(version)) return false;
  if (!isOwn(version)) return countsMonth(version);
  return mayCount(version.list) || (version.rates !== null && mayCount(version.rates));
}

/**
 * What all usage of a month costs, in whole micro-credits, under a rate that `countsMonth`. A total that grows from
 * `before` to `after` costs the difference, so that the month costs the same in whatever order its events come.
 */
export function priceOfMonth(rate: Rate, used: bigint): MicroCredits {
  return exactOfMonth(rate, used) / rate.per;
}

/** In `1 / per` micro-credits. */
function exactOfMonth(rate: Rate, used: bigint): bigint {
  if (isOwnRate(rate)) return exactOfMonth(rate.from, used) * rate.factor;
  const { credits, per, tiers } = rate;
  if (tiers === undefined) return packagesOf(per, used) * per * credits;
  let [exact, from] = [0n, 0n];
  for (const tier of tiers) {
    const to = tier.upTo === null || tier.upTo > used ? used : tier.upTo;
    exact += (to - from) * tier.credits * (per / tier.per);
    from = to;
  }
  return exact;
}

/** What a quantity may cost, whatever was carried to it and used before in its month. */
export function costWhenever(rate: Rate, quantity: bigint): Cost {
  if (!countsMonth(rate)) return costOf(rate, quantity);
  const { per } = rate;
  const [low, high] = exactBounds(rate, quantity);
  return { least: low / per, most: (high + per - 1n) / per };
}

/**
 * The most that a quantity may cost under a rate that `countsMonth`, of whose month `used` was used, whatever else is
 * used before it. Between the ends of tiers what it costs grows or falls evenly, so it is dearest where it begins or
 * ends at one, where it begins a package, or at once. Rounded up.
 */
export function mostOfMonth(rate: Rate, quantity: bigint, used: bigint): MicroCredits {
  const begins = dearestBegins(rate, quantity, used).filter((begin) => begin > used);
  const costs = [used, ...begins].map(
    (begin) => exactOfMonth(rate, begin + quantity) - exactOfMonth(rate, begin),
  );
  const most = costs.reduce((a, b) => (a > b ? a : b));
  return (most + rate.per - 1n) / rate.per;
}

function dearestBegins(rate: Rate, quantity: bigint, used: bigint): bigint[] {
  if (isOwnRate(rate)) return dearestBegins(rate.from, quantity, used);
  const { per, tiers } = rate;
  if (tiers === undefined) return [packagesOf(per, used) * per];
  return tiers.flatMap(({ upTo }) => (upTo === null ? [] : [upTo, upTo - quantity]));
}

function exactBounds(rate: Rate, quantity: bigint): readonly [bigint, bigint] {
  if (isOwnRate(rate)) {
    const [low, high] = exactBounds(rate.from, quantity);
    return [low * rate.factor, high * rate.factor];
  }
  const { credits, per, tiers } = rate;
  if (tiers === undefined) {
    return [(quantity / per) * per * credits, packagesOf(per, quantity) * per * credits];
  }
  const each = tiers.map((tier) => tier.credits * (per / tier.per));
  const [low, high] = each.reduce(
    ([least, most], one) => [one < least ? one : least, one > most ? one : most] as const,
    [each[0] ?? 0n, each[0] ?? 0n] as const,
  );
  return [quantity * low, quantity * high];
}

import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Feed } from "./feed.ts";
import { type Bands, type Counted, placeReached, type RateCondition } from "./rate-bands.ts";
import type { RateOrigin } from "./rate-origin.ts";
import { choose, type ValueTree } from "./value-tree.ts";

/** What units cost: `credits` micro-credits for every `per` of them. */
export interface UnitPrice {
  readonly credits: MicroCredits;
  readonly per: bigint;
  /** Units are sold in packages of `per`: an event, or all usage of a month, pays for each that it begins. */
  readonly roundUp?: RoundUp;
  /** Prices by what was used in the month: graduated, so each holds for what lies in it. `credits` is the first. */
  readonly tiers?: readonly Tier[];
}

/** What is rounded up to whole packages. */
export type RoundUp = "each_event" | "each_month";

/** The price of what lies in a stretch of a month's usage. */
export interface Tier extends Pick<UnitPrice, "credits" | "per"> {
  /** The last unit that it is for; null: it has no end, as the last tier has none. */
  readonly upTo: bigint | null;
}

/** What a version of a meter has besides its price. */
interface Version {
  readonly meter: string;
  readonly validFrom: Instant;
  /** Who set it, as far as that is known. */
  readonly setBy?: string | null;
  /** What feeds the meter from then on; default: the events named like it. */
  readonly feed?: Feed;
}

/** A meter's price from an instant on. */
export interface Rate extends Version, UnitPrice {
  /** Set by a version that rounded each event by itself, as it still does under this rate. */
  readonly roundsEach?: true;
  /** Where the price depends on dimensions or on own terms: the version that this is one of the rates of. */
  readonly of?: RateTable | OwnVersion;
  /** The same rate as it is stated, for other units. */
  readonly stated?: StatedRate;
}

/** An account's price for some events, for the units of its version. */
export interface OwnRate extends Rate {
  readonly of: OwnVersion;
  /** What it follows from: a rate of the list, or an own one. */
  readonly from: Rate;
  /** By what its credits were multiplied. */
  readonly factor: bigint;
}

/** A price for some events, as it is stated. */
export interface StatedRate extends UnitPrice, RateCondition {
  /** Who added it to its version afterwards. */
  readonly setBy?: string;
  /** Where an import made it; changes no price, and is read only where it is shown or kept. */
  readonly origin?: RateOrigin;
}

/** One of the prices of a `RateTable`, for its `per` units. */
export interface TableRate extends Rate {
  readonly of: RateTable;
  readonly stated: StatedRate;
}

/** A meter's prices by dimensions and bands from an instant on. No event has several: see `findTies`. */
export interface RateTable extends Version {
  /** The names of the dimensions that the price depends on; none: it has bands only. */
  readonly dimensions: readonly string[];
  readonly rates: readonly TableRate[];
  /** The least number of units that is a multiple of every stated one. */
  readonly per: bigint;
  /** All that can be chosen by the values of dimensions: places in `rates`. */
  readonly bands: readonly Bands[];
  readonly tree: ValueTree<Bands>;
  /** True if any of the rates `carries`. */
  readonly carries: boolean;
}

/** What a meter costs on the list from an instant on. What is left of a micro-credit is carried along under it. */
export type MeterVersion = Rate | RateTable;

/** The terms of an account's own that hold, as far as they explain a price. */
export interface HeldTerms {
  /** Null: for all meters that have no own terms by themselves. */
  readonly meter: string | null;
  readonly validFrom: Instant;
  /** In basis points of the list; null: they are rates. */
  readonly discount: number | null;
  readonly reason: string;
  readonly setBy: string;
}

/** What a meter costs an account with own terms, from where these or the list change: see `ownCard`. */
export interface OwnVersion extends Version {
  readonly own: HeldTerms;
  readonly list: MeterVersion;
  /** The account's own rates, which come before those of the list; null: it has a discount. */
  readonly rates: MeterVersion | null;
  /** The units that all of its prices are for. */
  readonly per: bigint;
  /** By what the credits of a rate are multiplied, so that they are for those units. */
  readonly ofOwn: bigint;
  readonly ofList: bigint;
  /** 64 bits do not hold its units, so nothing is carried. */
  readonly roundsEach?: true;
}

/** What a meter costs an account from an instant on. */
export type AccountVersion = MeterVersion | OwnVersion;

/** What each meter costs over time: versions by meter, newest first. */
export type RateCard = ReadonlyMap<string, readonly MeterVersion[]>;

/** The same for one account: the list, or what follows from it and its own terms. */
export interface AccountCard {
  get(meter: string): readonly AccountVersion[] | undefined;
}

/** True for a version whose price depends on dimensions or bands. */
export function isTable(version: AccountVersion): version is RateTable {
  return "dimensions" in version;
}

/** True for a version of an account's own terms. */
export function isOwn(version: AccountVersion): version is OwnVersion {
  return "own" in version;
}

/** True for a rate of an account's own terms. */
export function isOwnRate(rate: Rate | StatedRate): rate is OwnRate {
  return "factor" in rate;
}

/** Versions by meter, newest first. */
export function toRateCard<V extends Pick<MeterVersion, "meter" | "validFrom">>(
  versions: Iterable<V>,
): ReadonlyMap<string, readonly V[]> {
  const card = new Map<string, V[]>();
  for (const version of versions) {
    const ofMeter = card.get(version.meter);
    if (ofMeter === undefined) card.set(version.meter, [version]);
    else ofMeter.push(version);
  }
  for (const ofMeter of card.values()) ofMeter.sort((a, b) => b.validFrom - a.validFrom);
  return card;
}

/** The version that prices an event: the newest one valid at `occurredAt`. */
export function versionInForce<V extends AccountVersion>(
  card: { get(meter: string): readonly V[] | undefined },
  meter: string,
  occurredAt: Instant,
): V | "unknown_meter" | "no_price" {
  const ofMeter = card.get(meter);
  if (ofMeter === undefined) return "unknown_meter";
  for (const version of ofMeter) {
    if (version.validFrom <= occurredAt) return version;
  }
  return "no_price";
}

/** What the price of an event depends on. */
export interface Priced extends Counted {
  readonly meter: string;
  readonly occurredAt: Instant;
}

/**
 * The rate that prices an event: of the version in force when it occurred, the one for its dimensions, and of
 * that the highest band that it reaches.
 */
export function rateAt(card: AccountCard, event: Priced): Rate | "unknown_meter" | "no_price" {
  const version = versionInForce(card, event.meter, event.occurredAt);
  return typeof version === "string" ? version : (rateIn(version, event) ?? "no_price");
}

/** The rate of a version for an event; null: it has none. */
export function rateIn(version: AccountVersion, event: Counted): Rate | null {
  if (isOwn(version)) return ownRateIn(version, event);
  if (!isTable(version)) return version;
  const bands = choose(version.tree, version.dimensions, event.dimensions);
  const place = bands === null ? null : placeReached(bands, event);
  return place === null ? null : (version.rates[place] ?? null);
}

function ownRateIn(version: OwnVersion, event: Counted): OwnRate | null {
  const own = version.rates === null ? null : rateIn(version.rates, event);
  if (own !== null) return toOwnRate(version, own, version.ofOwn);
  const list = rateIn(version.list, event);
  return list === null ? null : toOwnRate(version, list, version.ofList);
}

/** What a rate of the list, or an own one, costs under an account's version of a meter. */
export function toOwnRate(of: OwnVersion, from: Rate, factor: bigint): OwnRate {
  const { meter, validFrom, per } = of;
  const rounds = of.roundsEach === undefined ? {} : { roundsEach: of.roundsEach };
  return { meter, validFrom, credits: from.credits * factor, per, ...rounds, of, from, factor };
}

/** The rate that priced a metered event; null: none is known any more. */
export function rateOf(card: AccountCard, event: Priced): Rate | null {
  const rate = rateAt(card, event);
  return typeof rate === "string" ? null : rate;
}

/** What a rate's remainders are carried along under. */
export function versionOf(rate: Rate): AccountVersion {
  return rate.of ?? rate;
}

/** True if usage under a version may leave a part of a micro-credit. */
export function mayCarry(version: AccountVersion): boolean {
  if (isOwn(version)) return version.per > 1n && version.roundsEach !== true;
  return isTable(version) ? version.carries : carries(version);
}

/** True if a price may leave a part of a micro-credit, which is carried along per account and version. */
export function carries(rate: Rate | StatedRate): boolean {
  if (countsMonth(rate) || rate.roundUp !== undefined) return false;
  return rate.credits % rate.per !== 0n && !("roundsEach" in rate);
}

/** True if a price depends on what was used before in its month: see `priceOfMonth`. */
export function countsMonth(rate: Rate | StatedRate): boolean {
  if (isOwnRate(rate)) return countsMonth(rate.from);
  return rate.tiers !== undefined || rate.roundUp === "each_month";
}

/** The number of units in a package, of which an event pays for each that it begins; null: single units are sold. */
export function packageOf(rate: Rate): bigint | null {
  if (isOwnRate(rate)) return packageOf(rate.from);
  const { roundUp, per } = rate.stated ?? rate;
  return roundUp === "each_event" ? per : null;
}

/** How many packages of a size a quantity begins. */
export function packagesOf(size: bigint, quantity: bigint): bigint {
  return (quantity + size - 1n) / size;
}

/** The exact price of an event, in `1 / per` micro-credits. */
export function exactPrice(rate: Rate, quantity: bigint): bigint {
  const size = packageOf(rate);
  const units = size === null ? quantity : packagesOf(size, quantity) * size;
  return units * rate.credits;
}

/**
 * quantity x credits / per in micro-credits. What an account's events under one version of a meter draw is
 * within one micro-credit of their exact price: the rest, `remainder / per` of one, is carried to the next.
 * `quantity` and `remainder` are at least 0.
 */
export function price(rate: Rate, quantity: bigint, remainder = 0n): MicroCredits {
  const exact = exactPrice(rate, quantity);
  return carries(rate) ? (exact + remainder) / rate.per : (exact + rate.per / 2n) / rate.per;
}

/** What is left once an event of a rate that `carries` has drawn `credits`. */
export function remainderAfter(
  rate: Rate,
  quantity: bigint,
  credits: MicroCredits,
  remainder: bigint,
): bigint {
  return remainder + exactPrice(rate, quantity) - credits * rate.per;
}

/** What an event may cost, in micro-credits: `most` is one more where a remainder may complete one. */
export interface Cost {
  readonly least: MicroCredits;
  readonly most: MicroCredits;
}

/** What a quantity costs, whatever was carried to it, under a rate that does not count a month's usage. */
export function costOf(rate: Rate, quantity: bigint): Cost {
  const least = price(rate, quantity);
  const isWhole = !carries(rate) || exactPrice(rate, quantity) % rate.per === 0n;
  return { least, most: isWhole ? least : least + 1n };
}

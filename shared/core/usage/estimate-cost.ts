import type { MicroCredits } from "../line/credit-line.ts";
import {
  type AccountCard,
  type Cost,
  costOf,
  countsMonth,
  type Rate,
  rateAt,
  versionInForce,
  versionOf,
} from "../offer/rate-card.ts";
import { whyNoRate } from "../offer/why-no-rate.ts";
import { type CarriedByVersion, type CarriedInBatch, carryOn, priceAfter } from "./carried.ts";
import type { UsageEvent } from "./usage-event.ts";

/** Usage to come: what of an event its price depends on. */
export type UsageToCome = Pick<UsageEvent, "meter" | "quantity" | "occurredAt" | "dimensions">;

interface PricedLine {
  readonly kind: "priced";
  readonly usage: UsageToCome;
  readonly rate: Rate;
  readonly cost: Cost;
}

/** Usage without a price: the reason and the detail are those of the dead letter that it would become. */
interface UnpricedLine {
  readonly kind: "unpriced";
  readonly usage: UsageToCome;
  readonly reason: "unknown_meter" | "no_price";
  readonly detail: string;
}

export type EstimatedLine = PricedLine | UnpricedLine;

export interface CostEstimate {
  readonly lines: readonly EstimatedLine[];
  /** Of the lines that have a price. */
  readonly total: Cost;
}

/**
 * What usage would cost that is metered in this order, by the arithmetic that meters. With the remainders of an
 * account, and what it used in its months, the costs are exact; null: of an account with any remainders, that has
 * used nothing in these months.
 */
export function estimateCost(
  card: AccountCard,
  usages: readonly UsageToCome[],
  carried: CarriedByVersion | null,
): CostEstimate {
  const book = { before: carried ?? new Map(), after: null };
  const estimating = { card, book, isExact: carried !== null, explained: 0 };
  const lines = usages.map((usage) => lineOf(estimating, usage));
  const priced = lines.filter((line) => line.kind === "priced");
  if (carried === null) return { lines, total: boundsOf(priced) };
  return { lines, total: exactly(sum(priced.map(({ cost }) => cost.least))) };
}

interface Estimating {
  readonly card: AccountCard;
  readonly book: CarriedInBatch;
  /** False: the remainders are not known. */
  readonly isExact: boolean;
  /** The number of lines whose dimensions no rate matches. */
  explained: number;
}

function lineOf(estimating: Estimating, usage: UsageToCome): EstimatedLine {
  const { card, book, isExact } = estimating;
  const rate = rateAt(card, usage);
  if (typeof rate === "string") {
    return { kind: "unpriced", usage, reason: rate, detail: detailOf(estimating, usage) };
  }
  const isKnown = isExact || countsMonth(rate);
  const cost = isKnown ? exactly(draw(book, rate, usage)) : costOf(rate, usage.quantity);
  return { kind: "priced", usage, rate, cost };
}

/** Finding the nearest rates looks at each of them, so it is done for this many lines only. */
const MOST_EXPLAINED = 10;

function detailOf(estimating: Estimating, usage: UsageToCome): string {
  const { card } = estimating;
  const hasRates = typeof versionInForce(card, usage.meter, usage.occurredAt) !== "string";
  if (hasRates) estimating.explained += 1;
  if (!hasRates || estimating.explained <= MOST_EXPLAINED) return whyNoRate(card, usage);
  return `meter ${usage.meter} has no rate for this; alone, the nearest are named`;
}

/** What the usage draws; what is left of a micro-credit, and what it used of its month, is carried to the next. */
function draw(book: CarriedInBatch, rate: Rate, usage: UsageToCome): MicroCredits {
  const credits = priceAfter(book, rate, usage);
  carryOn(book, rate, usage, credits);
  return credits;
}

/** All lines together complete one micro-credit of a version more if as much as possible was carried to them. */
function boundsOf(priced: readonly PricedLine[]): Cost {
  const versions = priced.map(({ rate }) => versionOf(rate));
  const almostOne = new Map(versions.map((version) => [version, version.per - 1n]));
  return { least: totalOf(priced, new Map()), most: totalOf(priced, almostOne) };
}

function totalOf(priced: readonly PricedLine[], before: CarriedByVersion): MicroCredits {
  const book = { before, after: null };
  return sum(priced.map(({ rate, usage }) => draw(book, rate, usage)));
}

function exactly(credits: MicroCredits): Cost {
  return { least: credits, most: credits };
}

function sum(all: readonly bigint[]): bigint {
  return all.reduce((total, each) => total + each, 0n);
}

import { MAX_BIGINT, MICRO_PER_CREDIT, type MicroCredits } from "../../core/line/credit-line.ts";
import { isCurrency } from "../../core/text/money.ts";
import { type Problem, short } from "../problem.ts";
import { type ExactNumber, parseExact } from "./exact-number.ts";
import { listProblems } from "./list-problems.ts";
import { type Markup, markupOf } from "./markup.ts";
import type { PriceKey, PriceRow } from "./price-row.ts";

/** What a credit is worth, above 0: `price` of the currency. */
export interface CreditWorth {
  readonly currency: string;
  readonly price: ExactNumber;
}

/** A rate of the meter `kind`, by the dimensions `provider` and `model`, and what it comes from. */
export interface TableRate extends PriceKey {
  /** Micro-credits for every `per` units. */
  readonly credits: MicroCredits;
  readonly per: bigint;
  readonly listPrice: PriceRow;
  readonly markup: Markup;
}

/** All rates, in the order of their rows, or none and why. A problem in line 0 is one of the terms. */
export type TableRates =
  | { readonly kind: "priced"; readonly rates: readonly TableRate[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** Parses "USD 0.01". Throws a RangeError with the reason. */
export function parseCreditWorth(text: string): CreditWorth {
  const [, currency = "", price = ""] = /^(\S+) (\S+)$/.exec(text) ?? [];
  if (!isCurrency(currency)) {
    throw new RangeError(`"${short(text)}" is not what a credit is worth; write it like USD 0.01`);
  }
  const worth = { currency, price: parseExact(price) };
  if (worth.price.coefficient > 0n) return worth;
  throw new RangeError("a credit must be worth more than 0");
}

/** Prices rows in credits. A markup that holds for no row is refused: it is mistyped or another one hides it. */
export function toRates(
  rows: readonly PriceRow[],
  markups: readonly Markup[],
  worth: CreditWorth,
): TableRates {
  const rates: TableRate[] = [];
  const problems = listProblems();
  const used = new Set<Markup>();
  for (const row of rows) {
    const markup = markupOf(markups, row);
    used.add(markup);
    const rate = rateOf(row, markup.factor, worth);
    if (typeof rate === "string") problems.add(row.place.line, row.place.field, rate);
    else rates.push({ ...keyOf(row), ...rate, listPrice: row, markup });
  }
  for (const { pattern } of markups.filter((markup) => !used.has(markup))) {
    const problem = "holds for no price: nothing matches it, or a later one matches as well";
    problems.add(0, `markup ${pattern}`, problem);
  }
  const refused = problems.all();
  return refused.length > 0 ? { kind: "refused", problems: refused } : { kind: "priced", rates };
}

function keyOf({ kind, provider, model, band }: PriceRow): PriceKey {
  return { kind, provider, model, band };
}

const MOST_UNITS = 10n ** 15n;

/**
 * The rate of a price, or why there is none. This is the one place where it is rounded: where the micro-credits for
 * the row's units are neither whole nor a credit or more, the units grow by tens until they are; what then is not
 * whole is rounded to the nearest micro-credit, halves up. So no rate is off by more than one part in two million.
 */
function rateOf(
  row: PriceRow,
  factor: ExactNumber,
  worth: CreditWorth,
): { readonly credits: MicroCredits; readonly per: bigint } | string {
  if (row.currency !== worth.currency) {
    return `is in ${row.currency}, but a credit is worth ${worth.currency}`;
  }
  let { numerator, denominator, per } = { ...exactCredits(row.price, factor, worth), per: row.per };
  while (numerator % denominator !== 0n && numerator < MICRO_PER_CREDIT * denominator) {
    numerator *= 10n;
    per *= 10n;
    if (per > MOST_UNITS) return "is so small that no whole micro-credits come near to it";
  }
  const credits = (2n * numerator + denominator) / (2n * denominator);
  return credits > MAX_BIGINT ? "is more credits than are possible" : { credits, per };
}

/** price x factor / worth, in micro-credits. */
function exactCredits(price: ExactNumber, factor: ExactNumber, worth: CreditWorth) {
  const power = price.exponent + factor.exponent - worth.price.exponent;
  const [up, down] = [10n ** BigInt(Math.max(power, 0)), 10n ** BigInt(Math.max(-power, 0))];
  return {
    numerator: price.coefficient * factor.coefficient * MICRO_PER_CREDIT * up,
    denominator: worth.price.coefficient * down,
  };
}

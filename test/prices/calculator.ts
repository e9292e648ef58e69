/**
 * Calculates what usage costs from a price table, written from docs/price-tables.md and docs/rules.md alone. It
 * checks the product, so it shares no code with it: its numbers are fractions of big integers.
 */

import { divided, type Fraction, fraction, NOTHING, plus, times } from "./fractions.ts";
import { type OwnTerms, ownPrice } from "./own-terms.ts";

/** Usage of a model: so many units of what a meter counts. */
export interface ModelUsage {
  readonly account: string;
  readonly meter: string;
  readonly provider: string;
  readonly model: string;
  readonly quantity: bigint;
  /** All tokens that its request read. */
  readonly context: bigint;
  readonly occurredAt: number;
}

/** What an account used of a meter under one version of it: from an instant on, or (null) the list's. */
export interface Total {
  readonly account: string;
  readonly meter: string;
  readonly since: number | null;
  /** In micro-credits. */
  readonly exact: Fraction;
}

export interface Terms {
  /** Pattern of provider/model and factor; the last one that matches holds. */
  readonly markups: readonly (readonly [pattern: string, factor: string])[];
  /** What a credit is worth, in dollars. */
  readonly perCredit: string;
  readonly own: readonly OwnTerms[];
}

/** What a unit costs, in micro-credits, where the context has at least so many tokens. */
interface Priced {
  readonly from: bigint;
  readonly unit: Fraction;
}

/** The keys of LiteLLM's file that are calculated here, and the meters that they price. */
const METERS: Readonly<Record<string, string>> = {
  input_cost_per_token: "input_tokens",
  output_cost_per_token: "output_tokens",
  output_cost_per_reasoning_token: "reasoning_tokens",
  cache_read_input_token_cost: "cache_read_tokens",
  cache_creation_input_token_cost: "cache_write_tokens",
};

/** The exact price of all usage, by account, meter and version. */
export function calculate(table: string, terms: Terms, usage: Iterable<ModelUsage>): Total[] {
  const prices = readPrices(table, terms);
  const totals = new Map<string, Total>();
  for (const used of usage) {
    const { account, meter, provider, model, quantity, context } = used;
    const bands = prices.get(`${meter} ${provider}/${model}`) ?? [];
    const priced = bands.filter(({ from }) => from <= context).sort(highestFirst)[0];
    if (priced === undefined) throw new Error(`${model} has no price for ${meter}`);
    const { unit, since } = ownPrice(terms.own, used, priced.unit);
    const cost = times(unit, { over: quantity, under: 1n });
    const key = `${account} ${meter} ${since}`;
    const exact = plus(totals.get(key)?.exact ?? NOTHING, cost);
    totals.set(key, { account, meter, since, exact });
  }
  return [...totals.values()];
}

type Entries = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** By meter, provider and model. */
function readPrices(table: string, { markups, perCredit }: Terms): Map<string, Priced[]> {
  const prices = new Map<string, Priced[]>();
  for (const [model, entry] of Object.entries(readJson(table))) {
    const provider = entry["litellm_provider"] ?? "";
    for (const [key, price] of Object.entries(entry)) {
      const [, plain = "", thousands] = /^(.*?)(?:_above_(\d+)k_tokens)?$/.exec(key) ?? [];
      const meter = METERS[plain];
      if (meter === undefined) continue;
      const from = thousands === undefined ? 0n : BigInt(thousands) * 1000n + 1n;
      const markup = markups.findLast(([pattern]) => isLike(pattern, `${provider}/${model}`));
      const dear = times(fraction(price), fraction(markup?.[1] ?? "1"));
      const inCredits = divided(dear, fraction(perCredit));
      const unit = rounded(times(inCredits, { over: 1_000_000n, under: 1n }));
      const name = `${meter} ${provider}/${model}`;
      prices.set(name, [...(prices.get(name) ?? []), { from, unit }]);
    }
  }
  return prices;
}

/**
 * Token prices are restated for a million. While that is no whole number of micro-credits and less than a credit,
 * the units grow by tens; what is then not whole is rounded to the nearest micro-credit, halves up.
 */
function rounded(unit: Fraction): Fraction {
  let units = 1_000_000n;
  let price = times(unit, { over: units, under: 1n });
  while (price.over % price.under !== 0n && price.over < 1_000_000n * price.under) {
    units *= 10n;
    price = times(price, { over: 10n, under: 1n });
  }
  return { over: (2n * price.over + price.under) / (2n * price.under), under: units };
}

/** Objects whose numbers are the text that stands in the file. */
function readJson(text: string): Entries {
  type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;
  const parse = JSON.parse as (text: string, reviver: Reviver) => Entries;
  return parse(text, (_, value, { source }) => (typeof value === "number" ? source : value));
}

function highestFirst(a: Priced, b: Priced): number {
  return a.from > b.from ? -1 : 1;
}

function isLike(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[^\w]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(name);
}

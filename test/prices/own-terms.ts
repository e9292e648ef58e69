/** What an account pays of its own, written from docs/rules.md alone: it checks the product, so it shares no code. */
import { type Fraction, fraction, times } from "./fractions.ts";

/** An account's own terms from an instant on: a discount, or rates of a meter. */
export interface OwnTerms {
  readonly account: string;
  /** Null: all meters without terms of their own. */
  readonly meter: string | null;
  readonly from: number;
  /** In percent; null: it has rates. */
  readonly discount: string | null;
  readonly rates: readonly OwnRate[];
}

interface OwnRate {
  /** A model, or what models begin with and a `*`. */
  readonly model: string;
  /** The quantity from which it holds. */
  readonly fromQuantity: bigint;
  readonly credits: string;
  readonly per: bigint;
}

interface Used {
  readonly account: string;
  readonly meter: string;
  readonly model: string;
  readonly quantity: bigint;
  readonly occurredAt: number;
}

/**
 * What a unit costs, in micro-credits, where the list has `list`; and since when this version of the meter holds,
 * whose remainder is its own: null: the list's.
 */
export function ownPrice(all: readonly OwnTerms[], used: Used, list: Fraction) {
  const begun = all.filter(({ account, meter, from }) => {
    const isOfMeter = meter === null || meter === used.meter;
    return account === used.account && isOfMeter && from <= used.occurredAt;
  });
  const latest = (terms: readonly OwnTerms[]) => terms.toSorted((a, b) => b.from - a.from)[0];
  const held = latest(begun.filter(({ meter }) => meter !== null)) ?? latest(begun);
  if (held === undefined) return { unit: list, since: null };
  return { unit: priceUnder(held, used, list), since: latest(begun)?.from ?? null };
}

function priceUnder({ discount, rates }: OwnTerms, used: Used, list: Fraction): Fraction {
  if (discount !== null) {
    const { over, under } = fraction(discount);
    return times(list, { over: 100n * under - over, under: 100n * under });
  }
  const matching = rates.filter(({ model }) => matches(model, used.model));
  const narrowest = matching.toSorted((a, b) => narrowness(b.model) - narrowness(a.model))[0];
  const bands = matching.filter(({ model }) => model === narrowest?.model);
  const reached = bands.filter(({ fromQuantity }) => fromQuantity <= used.quantity);
  const rate = reached.toSorted((a, b) => (a.fromQuantity > b.fromQuantity ? -1 : 1))[0];
  if (rate === undefined) return list;
  return times(fraction(rate.credits), { over: 1_000_000n, under: rate.per });
}

function matches(pattern: string, model: string): boolean {
  return pattern.endsWith("*") ? model.startsWith(pattern.slice(0, -1)) : model === pattern;
}

/** A whole name is narrower than any beginning. */
function narrowness(pattern: string): number {
  return pattern.endsWith("*") ? pattern.length : Number.POSITIVE_INFINITY;
}

import type { Place } from "../../core/offer/requested-catalogue.ts";
import { type ExactNumber, inPowers } from "./exact-number.ts";

/**
 * From when on a price holds: from a `quantity` of the event itself, or from a number of tokens that its request
 * has as input, cached ones included (`context`). The highest band that an event reaches prices all of it. The
 * lowest begins at 0.
 */
export interface Band {
  readonly of: "quantity" | "context";
  readonly from: bigint;
}

export const NO_BAND: Band = { of: "quantity", from: 0n };

/** What a rate is for, of a table or not. */
export interface RateKey {
  /** What is counted, such as `input_tokens` or `output_seconds_1080p`: a meter. */
  readonly kind: string;
  readonly provider: string;
  readonly model: string;
  readonly band: { readonly of: string; readonly from: bigint };
}

/** What a price is for. A table has one price for each. */
export interface PriceKey extends RateKey {
  readonly band: Band;
}

/** A list price: `price` of the currency for every `per` units. */
export interface PriceRow extends PriceKey {
  readonly price: ExactNumber;
  readonly currency: string;
  readonly per: bigint;
  readonly place: Place;
}

/** The same text for the same key; no name holds a NUL character. */
export function keyText({ kind, provider, model, band }: RateKey): string {
  return [kind, provider, model, band.of, band.from].join("\0");
}

/** True when two rows ask the same money for the same quantity. */
export function isSamePrice(a: PriceRow, b: PriceRow): boolean {
  const least = Math.min(a.price.exponent, b.price.exponent);
  return (
    a.currency === b.currency &&
    inPowers(a.price, least) * b.per === inPowers(b.price, least) * a.per
  );
}

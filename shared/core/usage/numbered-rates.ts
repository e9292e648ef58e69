import {
  isTable,
  type Rate,
  type RateCard,
  type RateTable,
  rateAt,
  versionInForce,
} from "../offer/rate-card.ts";
import { inDoubles, type RateInDoubles } from "../offer/rate-in-doubles.ts";
import type { EventNames } from "./usage-columns.ts";

/** A rate for arithmetic in doubles; null: there is none, or doubles do not hold it. */
type Found = RateInDoubles | null;

/**
 * The rates of a card by the numbers of dimensions in events. Each is chosen once, and found again by its number:
 * the same dimensions come again and again, and so do card and numbers in the batches after this one.
 */
export class NumberedRates {
  readonly #card: RateCard;
  readonly #dimensions: EventNames["dimensions"];
  readonly #ofRates = new Map<Rate, Found>();
  /** By the number of dimensions. */
  readonly #ofTables = new Map<RateTable, Found[]>();

  constructor(card: RateCard, dimensions: EventNames["dimensions"]) {
    this.#card = card;
    this.#dimensions = dimensions;
  }

  /** The rate that prices an event. Allocates nothing, but for what it meets for the first time. */
  at(meter: string, occurredAt: number, dimensions: number): Found {
    const version = versionInForce(this.#card, meter, occurredAt);
    if (typeof version === "string") return null;
    if (!isTable(version)) return this.#ofRate(version);
    let chosen = this.#ofTables.get(version);
    if (chosen === undefined) {
      chosen = [];
      this.#ofTables.set(version, chosen);
    }
    let found = chosen[dimensions];
    if (found === undefined) {
      const values = this.#dimensions.valueOf(dimensions);
      const rate = rateAt(this.#card, meter, occurredAt, values);
      found = typeof rate === "string" ? null : this.#ofRate(rate);
      chosen[dimensions] = found;
    }
    return found;
  }

  #ofRate(rate: Rate): Found {
    let found = this.#ofRates.get(rate);
    if (found === undefined) {
      found = inDoubles(rate);
      this.#ofRates.set(rate, found);
    }
    return found;
  }
}

const known = new WeakMap<RateCard, WeakMap<EventNames["dimensions"], NumberedRates>>();

/** The rates of a card as they were met in earlier batches with the same numbers. */
export function numberedRates(card: RateCard, { dimensions }: EventNames): NumberedRates {
  const ofCard = known.get(card) ?? new WeakMap<EventNames["dimensions"], NumberedRates>();
  known.set(card, ofCard);
  const rates = ofCard.get(dimensions) ?? new NumberedRates(card, dimensions);
  ofCard.set(dimensions, rates);
  return rates;
}

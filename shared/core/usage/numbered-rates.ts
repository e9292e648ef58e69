import { type Bands, placeReached } from "../offer/rate-bands.ts";
import {
  isTable,
  type Rate,
  type RateCard,
  type RateTable,
  versionInForce,
} from "../offer/rate-card.ts";
import { inDoubles, type RateInDoubles } from "../offer/rate-in-doubles.ts";
import { choose } from "../offer/value-tree.ts";
import type { EventNames } from "./usage-columns.ts";

/** A rate for arithmetic in doubles; null: there is none, or doubles do not hold it. */
type Found = RateInDoubles | null;

/** Rates by the quantity from which they hold, from the highest down. */
type Steps = readonly { readonly from: number; readonly rate: Found }[];

const NONE: Steps = [];

/**
 * The rates of a card by the numbers of dimensions in events. Each is chosen once, and found again by its number:
 * the same dimensions come again and again, and so do card and numbers in the batches after this one.
 */
export class NumberedRates {
  readonly #card: RateCard;
  readonly #dimensions: EventNames["dimensions"];
  readonly #ofRates = new Map<Rate, Found>();
  /** By the number of dimensions. */
  readonly #ofTables = new Map<RateTable, Steps[]>();
  /** By bands of the quantity, or the rate that holds whatever the quantity. */
  readonly #ofChosen = new Map<Bands | Rate, Steps>();

  constructor(card: RateCard, dimensions: EventNames["dimensions"]) {
    this.#card = card;
    this.#dimensions = dimensions;
  }

  /**
   * The rate that prices a quantity from 0 to below 2^52. Allocates nothing, but for what it meets for the
   * first time.
   */
  at(meter: string, occurredAt: number, dimensions: number, quantity: number): Found {
    const version = versionInForce(this.#card, meter, occurredAt);
    if (typeof version === "string") return null;
    if (!isTable(version)) return this.#ofRate(version);
    let chosen = this.#ofTables.get(version);
    if (chosen === undefined) {
      chosen = [];
      this.#ofTables.set(version, chosen);
    }
    let steps = chosen[dimensions];
    if (steps === undefined) {
      steps = this.#stepsFor(version, dimensions);
      chosen[dimensions] = steps;
    }
    for (const { from, rate } of steps) if (from <= quantity) return rate;
    return null;
  }

  #stepsFor(table: RateTable, number: number): Steps {
    const dimensions = this.#dimensions.valueOf(number);
    const bands = choose(table.tree, table.dimensions, dimensions);
    if (bands === null) return NONE;
    if (bands.of === null) return this.#stepsOf(table, bands, bands.steps);
    const place = placeReached(bands, { dimensions, quantity: 0n });
    const rate = place === null ? undefined : table.rates[place];
    return place === null || rate === undefined
      ? NONE
      : this.#stepsOf(table, rate, [{ from: 0n, place }]);
  }

  /** The steps of what was chosen, which are the same for many dimensions. */
  #stepsOf(table: RateTable, chosen: Bands | Rate, steps: Bands["steps"]): Steps {
    let found = this.#ofChosen.get(chosen);
    if (found === undefined) {
      found = steps.map(({ from, place }) => {
        const rate = table.rates[place];
        return { from: Number(from), rate: rate === undefined ? null : this.#ofRate(rate) };
      });
      this.#ofChosen.set(chosen, found);
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

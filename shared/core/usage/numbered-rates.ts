import { placeReached } from "../offer/rate-bands.ts";
import {
  isTable,
  type Rate,
  type RateCard,
  type RateTable,
  versionInForce,
  versionOf,
} from "../offer/rate-card.ts";
import { inDoubles, type RateInDoubles } from "../offer/rate-in-doubles.ts";
import { choose } from "../offer/value-tree.ts";
import type { EventNames } from "./usage-columns.ts";

/** A rate for arithmetic in doubles, from a quantity on. Its credits are NaN where doubles do not hold it. */
interface Step extends RateInDoubles {
  readonly from: number;
  /** The one that holds for smaller quantities; null: there is no price. */
  readonly lower: Step | null;
}

/**
 * The rates of a card by the numbers of dimensions in events. Each is chosen once, and found again by its number:
 * the same dimensions come again and again, and so do card and numbers in the batches after this one.
 */
export class NumberedRates {
  readonly #card: RateCard;
  readonly #dimensions: EventNames["dimensions"];
  /** By the number of dimensions, the highest step; null: there is no price. */
  readonly #ofTables = new Map<RateTable, (Step | null)[]>();
  /** Those of each rate. */
  readonly #steps = new Map<Rate, Step>();

  constructor(card: RateCard, dimensions: EventNames["dimensions"]) {
    this.#card = card;
    this.#dimensions = dimensions;
  }

  /**
   * The rate that prices a quantity from 0 to below 2^52; null: there is none. Allocates nothing, but for what it
   * meets for the first time.
   */
  at(
    meter: string,
    occurredAt: number,
    dimensions: number,
    quantity: number,
  ): RateInDoubles | null {
    const version = versionInForce(this.#card, meter, occurredAt);
    if (typeof version === "string") return null;
    if (!isTable(version)) return this.#stepOf(version);
    let chosen = this.#ofTables.get(version);
    if (chosen === undefined) {
      chosen = [];
      this.#ofTables.set(version, chosen);
    }
    let step = chosen[dimensions];
    if (step === undefined) {
      step = this.#highestFor(version, dimensions);
      chosen[dimensions] = step;
    }
    while (step !== null && step.from > quantity) step = step.lower;
    return step;
  }

  #highestFor(table: RateTable, number: number): Step | null {
    const dimensions = this.#dimensions.valueOf(number);
    const bands = choose(table.tree, table.dimensions, dimensions);
    if (bands === null) return null;
    if (bands.of !== null) {
      const place = placeReached(bands, { dimensions, quantity: 0n });
      const rate = place === null ? undefined : table.rates[place];
      return rate === undefined ? null : this.#stepOf(rate);
    }
    let highest: Step | null = null;
    for (const { from, place } of bands.steps.toReversed()) {
      const rate = table.rates[place];
      if (rate !== undefined) highest = this.#stepOf(rate, Number(from), highest);
    }
    return highest;
  }

  #stepOf(rate: Rate, from = 0, lower: Step | null = null): Step {
    let step = this.#steps.get(rate);
    if (step === undefined) {
      step = { ...(inDoubles(rate) ?? notHeld(rate)), from, lower };
      this.#steps.set(rate, step);
    }
    return step;
  }
}

function notHeld(rate: Rate): RateInDoubles {
  return { version: versionOf(rate), credits: Number.NaN, per: 1, carries: false };
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

import { placeReached } from "../offer/rate-bands.ts";
import {
  type AccountCard,
  type AccountVersion,
  isOwn,
  isTable,
  type OwnVersion,
  type Rate,
  toOwnRate,
  versionInForce,
  versionOf,
} from "../offer/rate-card.ts";
import { inDoubles, type RateInDoubles } from "../offer/rate-in-doubles.ts";
import { choose } from "../offer/value-tree.ts";
import type { EventNames } from "./usage-columns.ts";

/** A rate for arithmetic in doubles, from a quantity on. Its credits are NaN where doubles do not hold it. */
interface Step extends RateInDoubles {
  readonly rate: Rate;
  readonly from: number;
  /** The one that holds for smaller quantities; null: there is no price. */
  readonly lower: Step | null;
}

/**
 * The rates of a card by the numbers of dimensions in events. Each is chosen once, and found again by its number:
 * the same dimensions come again and again, and so do card and numbers in the batches after this one.
 */
export class NumberedRates {
  readonly #card: AccountCard;
  readonly #dimensions: EventNames["dimensions"];
  /** By the number of dimensions, the highest step; null: there is no price. */
  readonly #ofVersions = new Map<AccountVersion, (Step | null)[]>();
  /** Those of each rate. */
  readonly #steps = new Map<Rate, Step>();
  /** Those of own versions, by the step that each follows from and the one below it. */
  readonly #ownSteps = new Map<OwnVersion, Map<Step, Map<Step | null, Step>>>();

  constructor(card: AccountCard, dimensions: EventNames["dimensions"]) {
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
    if (!isTable(version) && !isOwn(version)) return this.#stepOf(version);
    let chosen = this.#ofVersions.get(version);
    if (chosen === undefined) {
      chosen = [];
      this.#ofVersions.set(version, chosen);
    }
    let step = chosen[dimensions];
    if (step === undefined) {
      step = this.#highestFor(version, dimensions);
      chosen[dimensions] = step;
    }
    while (step !== null && step.from > quantity) step = step.lower;
    return step;
  }

  #highestFor(table: AccountVersion, number: number): Step | null {
    if (isOwn(table)) return this.#ownHighestFor(table, number);
    if (!isTable(table)) return this.#stepOf(table);
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

  /** Below the own rates' lowest band the list holds. */
  #ownHighestFor(version: OwnVersion, number: number): Step | null {
    const list = this.#highestFor(version.list, number);
    const own = version.rates === null ? null : this.#highestFor(version.rates, number);
    const lower = this.#toOwn(version, list, version.ofList, null);
    return this.#toOwn(version, own, version.ofOwn, lower);
  }

  /** A step and those below it as the account pays them, and below these `lowest`. */
  #toOwn(version: OwnVersion, of: Step | null, factor: bigint, lowest: Step | null): Step | null {
    if (of === null) return lowest;
    const lower = this.#toOwn(version, of.lower, factor, lowest);
    const ofVersion = this.#ownSteps.get(version) ?? new Map<Step, Map<Step | null, Step>>();
    this.#ownSteps.set(version, ofVersion);
    const above = ofVersion.get(of) ?? new Map<Step | null, Step>();
    ofVersion.set(of, above);
    let step = above.get(lower);
    if (step === undefined) {
      const rate = toOwnRate(version, of.rate, factor);
      step = { ...(inDoubles(rate) ?? notHeld(rate)), rate, from: of.from, lower };
      above.set(lower, step);
    }
    return step;
  }

  #stepOf(rate: Rate, from = 0, lower: Step | null = null): Step {
    let step = this.#steps.get(rate);
    if (step === undefined) {
      step = { ...(inDoubles(rate) ?? notHeld(rate)), rate, from, lower };
      this.#steps.set(rate, step);
    }
    return step;
  }
}

function notHeld(rate: Rate): RateInDoubles {
  return { version: versionOf(rate), credits: Number.NaN, per: 1, carries: false, package: 0 };
}

const known = new WeakMap<AccountCard, WeakMap<EventNames["dimensions"], NumberedRates>>();

/** The rates of a card as they were met in earlier batches with the same numbers. */
export function numberedRates(card: AccountCard, { dimensions }: EventNames): NumberedRates {
  const ofCard = known.get(card) ?? new WeakMap<EventNames["dimensions"], NumberedRates>();
  known.set(card, ofCard);
  const rates = ofCard.get(dimensions) ?? new NumberedRates(card, dimensions);
  ofCard.set(dimensions, rates);
  return rates;
}

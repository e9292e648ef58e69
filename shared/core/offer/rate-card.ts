import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { Feed } from "./feed.ts";

/** A meter's price from an instant on: `credits` micro-credits for every `per` units. */
export interface Rate {
  readonly meter: string;
  readonly validFrom: Instant;
  readonly credits: MicroCredits;
  readonly per: bigint;
  /** Who set it, as far as that is known. */
  readonly setBy?: string | null;
  /** What feeds the meter from then on; default: the events named like it. */
  readonly feed?: Feed;
  /** Set by a version that rounded each event by itself, as it still does under this rate. */
  readonly roundsEach?: true;
}

/** The price of each meter over time: rates by meter, newest first. */
export type RateCard = ReadonlyMap<string, readonly Rate[]>;

export function toRateCard(rates: Iterable<Rate>): RateCard {
  const card = new Map<string, Rate[]>();
  for (const rate of rates) {
    const ofMeter = card.get(rate.meter);
    if (ofMeter === undefined) card.set(rate.meter, [rate]);
    else ofMeter.push(rate);
  }
  for (const ofMeter of card.values()) ofMeter.sort((a, b) => b.validFrom - a.validFrom);
  return card;
}

/** The rate that prices an event: the newest one valid at `occurredAt`. */
export function rateAt(
  card: RateCard,
  meter: string,
  occurredAt: Instant,
): Rate | "unknown_meter" | "no_price" {
  const ofMeter = card.get(meter);
  if (ofMeter === undefined) return "unknown_meter";
  for (const rate of ofMeter) {
    if (rate.validFrom <= occurredAt) return rate;
  }
  return "no_price";
}

/** True if a price may leave a part of a micro-credit, which is carried along per account. */
export function carries({ credits, per, roundsEach }: Rate): boolean {
  return credits % per !== 0n && roundsEach !== true;
}

/**
 * quantity x credits / per in micro-credits. What an account's events under one rate draw is within one
 * micro-credit of their exact price: the rest, `remainder / per` of one, is carried to the next event.
 * `quantity` and `remainder` are at least 0.
 */
export function price(rate: Rate, quantity: bigint, remainder = 0n): MicroCredits {
  const exact = quantity * rate.credits;
  return carries(rate) ? (exact + remainder) / rate.per : (exact + rate.per / 2n) / rate.per;
}

/** What is left once an event of a rate that `carries` has drawn `credits`. */
export function remainderAfter(
  { credits: each, per }: Rate,
  quantity: bigint,
  credits: MicroCredits,
  remainder: bigint,
): bigint {
  return remainder + quantity * each - credits * per;
}

/** What an event may cost, in micro-credits: `most` is one more where a remainder may complete one. */
export interface Cost {
  readonly least: MicroCredits;
  readonly most: MicroCredits;
}

/** What a quantity costs, whatever was carried to it. */
export function costOf(rate: Rate, quantity: bigint): Cost {
  const least = price(rate, quantity);
  const isWhole = !carries(rate) || (quantity * rate.credits) % rate.per === 0n;
  return { least, most: isWhole ? least : least + 1n };
}

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

/** quantity x credits / per in micro-credits, halves rounded up. `quantity` is at least 0. */
export function price(rate: Rate, quantity: bigint): MicroCredits {
  return (quantity * rate.credits + rate.per / 2n) / rate.per;
}

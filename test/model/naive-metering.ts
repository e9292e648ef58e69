import type { Rate } from "../../shared/core/offer/rate-card.ts";
import type {
  DeadLetterReason,
  EventWindow,
  UsageEvent,
} from "../../shared/core/usage/usage-event.ts";
import { MOST } from "./naive-books.ts";

/** How the naive books treat an event, from its identity to its price. */
export interface NaiveMetering {
  /** Null when the event, by itself, can be metered. */
  whyUnfit(event: UsageEvent, now: number): DeadLetterReason | null;
  /** Null when the event was not metered before. */
  metBefore(event: UsageEvent): "repeat" | "conflict" | null;
  /** Micro-credits, or the reason there is no price. */
  priceOf(event: UsageEvent): bigint | "unknown_meter" | "no_price";
  remember(event: UsageEvent): void;
}

export function createMetering(setup: {
  readonly rates: readonly Rate[];
  readonly window: EventWindow;
}): NaiveMetering {
  const metered = new Map<string, string>();
  /** The exact price of all usage of an account under a rate, in `1 / per` micro-credits. */
  const exact = new Map<string, bigint>();
  const exactKey = ({ accountId }: UsageEvent, { meter, validFrom }: Rate) =>
    JSON.stringify([accountId, meter, validFrom]);
  return {
    whyUnfit: (event, now) => whyUnfit(event, now, setup.window),
    metBefore(event) {
      const before = metered.get(identityOf(event));
      if (before === undefined) return null;
      return before === contentOf(event) ? "repeat" : "conflict";
    },
    priceOf(event) {
      const rate = rateOf(event, setup.rates);
      if (typeof rate === "string") return rate;
      const before = exact.get(exactKey(event, rate)) ?? 0n;
      return (before + event.quantity * rate.credits) / rate.per - before / rate.per;
    },
    remember(event) {
      metered.set(identityOf(event), contentOf(event));
      const rate = rateOf(event, setup.rates);
      if (typeof rate === "string") return;
      const key = exactKey(event, rate);
      exact.set(key, (exact.get(key) ?? 0n) + event.quantity * rate.credits);
    },
  };
}

function rateOf(event: UsageEvent, rates: readonly Rate[]): Rate | "unknown_meter" | "no_price" {
  const ofMeter = rates.filter((rate) => rate.meter === event.meter);
  if (ofMeter.length === 0) return "unknown_meter";
  let valid: Rate | null = null;
  for (const rate of ofMeter) {
    if (rate.validFrom > event.occurredAt) continue;
    if (valid === null || rate.validFrom > valid.validFrom) valid = rate;
  }
  return valid ?? "no_price";
}

function whyUnfit(
  event: UsageEvent,
  now: number,
  { maxAheadMs, maxBehindMs }: EventWindow,
): DeadLetterReason | null {
  const ids = [event.eventId, event.accountId, event.meter];
  const pairs = Object.entries(event.dimensions).flat();
  const fit =
    ids.every((id) => id.length >= 1 && id.length <= 256 && !/\uFFFD/.test(id)) &&
    [event.source, ...pairs].every((text) => text.length <= 1024) &&
    pairs.length <= 2 * 64 &&
    [...ids, event.source, ...pairs].every((text) => !/\0|\p{Surrogate}/u.test(text));
  if (!fit) return "malformed";
  if (event.quantity < 0n) return "negative_quantity";
  if (event.quantity > MOST) return "overflow";
  if (event.occurredAt - now > maxAheadMs) return "too_far_ahead";
  return now - event.occurredAt > maxBehindMs ? "too_long_ago" : null;
}

function identityOf({ accountId, source, eventId }: UsageEvent): string {
  return JSON.stringify([accountId, source, eventId]);
}

function contentOf({ meter, quantity, occurredAt, dimensions }: UsageEvent): string {
  const pairs = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([meter, String(quantity), occurredAt, pairs]);
}

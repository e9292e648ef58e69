import type { MeterVersion } from "../../shared/core/offer/rate-card.ts";
import type {
  DeadLetterReason,
  EventWindow,
  UsageEvent,
} from "../../shared/core/usage/usage-event.ts";
import { MOST } from "./naive-books.ts";
import { type NaivePrice, naivePrice } from "./naive-rates.ts";

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
  readonly rates: readonly MeterVersion[];
  readonly window: EventWindow;
}): NaiveMetering {
  const metered = new Map<string, string>();
  /** The exact price of all usage of an account under a version of a meter, in its parts of micro-credits. */
  const exact = new Map<string, bigint>();
  const exactKey = ({ accountId, meter }: UsageEvent, { validFrom }: NaivePrice) =>
    JSON.stringify([accountId, meter, validFrom]);
  return {
    whyUnfit: (event, now) => whyUnfit(event, now, setup.window),
    metBefore(event) {
      const before = metered.get(identityOf(event));
      if (before === undefined) return null;
      return before === contentOf(event) ? "repeat" : "conflict";
    },
    priceOf(event) {
      const price = naivePrice(event, setup.rates);
      if (typeof price === "string") return price;
      const before = exact.get(exactKey(event, price)) ?? 0n;
      return (before + price.parts) / price.whole - before / price.whole;
    },
    remember(event) {
      metered.set(identityOf(event), contentOf(event));
      const price = naivePrice(event, setup.rates);
      if (typeof price === "string") return;
      const key = exactKey(event, price);
      exact.set(key, (exact.get(key) ?? 0n) + price.parts);
    },
  };
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

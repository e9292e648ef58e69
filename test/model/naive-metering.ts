import type { OwnTerms } from "../../shared/core/offer/own-terms.ts";
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
  readonly ownTerms?: readonly OwnTerms[];
  readonly window: EventWindow;
}): NaiveMetering {
  const metered = new Map<string, string>();
  /**
   * The exact price of all usage of an account under a version of a meter, in its parts of micro-credits; of what is
   * priced by the month, the quantity.
   */
  const exact = new Map<string, bigint>();
  const keyOf = (
    { accountId, meter, occurredAt }: UsageEvent,
    { validFrom, ofMonth }: NaivePrice,
  ) => {
    const month = ofMonth === null ? null : new Date(occurredAt).toISOString().slice(0, 7);
    return JSON.stringify([accountId, meter, validFrom, month]);
  };
  return {
    whyUnfit: (event, now) => whyUnfit(event, now, setup.window),
    metBefore(event) {
      const before = metered.get(identityOf(event));
      if (before === undefined) return null;
      return before === contentOf(event) ? "repeat" : "conflict";
    },
    priceOf(event) {
      let credits = 0n;
      for (const line of asEventsOfOneMeter(event)) {
        const price = naivePrice(line, setup.rates, setup.ownTerms);
        if (typeof price === "string") return price;
        const { parts, whole, ofMonth } = price;
        const before = exact.get(keyOf(line, price)) ?? 0n;
        credits +=
          ofMonth === null
            ? (before + parts) / whole - before / whole
            : ofMonth(before + line.quantity) / whole - ofMonth(before) / whole;
      }
      return credits;
    },
    remember(event) {
      metered.set(identityOf(event), contentOf(event));
      for (const line of asEventsOfOneMeter(event)) {
        const price = naivePrice(line, setup.rates, setup.ownTerms);
        if (typeof price === "string") continue;
        const key = keyOf(line, price);
        const more = price.ofMonth === null ? price.parts : line.quantity;
        exact.set(key, (exact.get(key) ?? 0n) + more);
      }
    },
  };
}

function whyUnfit(
  event: UsageEvent,
  now: number,
  { maxAheadMs, maxBehindMs }: EventWindow,
): DeadLetterReason | null {
  const lines = asEventsOfOneMeter(event);
  const meters = lines.map(({ meter }) => meter);
  const ids = [event.eventId, event.accountId, ...meters];
  const pairs = Object.entries(event.dimensions).flat();
  const fit =
    ids.every((id) => id.length >= 1 && id.length <= 256 && !/\uFFFD/.test(id)) &&
    [event.source, ...pairs].every((text) => text.length <= 1024) &&
    pairs.length <= 2 * 64 &&
    meters.length <= 16 &&
    new Set(meters).size === meters.length &&
    [...ids, event.source, ...pairs].every((text) => !/\0|\p{Surrogate}/u.test(text));
  if (!fit) return "malformed";
  for (const { quantity } of lines) {
    if (quantity < 0n) return "negative_quantity";
    if (quantity > MOST) return "overflow";
  }
  if (event.occurredAt - now > maxAheadMs) return "too_far_ahead";
  return now - event.occurredAt > maxBehindMs ? "too_long_ago" : null;
}

/** What an event of several meters is priced as: its own, then the further ones by name. */
function asEventsOfOneMeter(event: UsageEvent): UsageEvent[] {
  const further = Object.entries(event.quantities).sort(([a], [b]) => (a < b ? -1 : 1));
  return [event, ...further.map(([meter, quantity]) => ({ ...event, meter, quantity }))];
}

function identityOf({ accountId, source, eventId }: UsageEvent): string {
  return JSON.stringify([accountId, source, eventId]);
}

function contentOf(event: UsageEvent): string {
  const { occurredAt, dimensions } = event;
  const pairs = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  const used = asEventsOfOneMeter(event).map(({ meter, quantity }) => [meter, String(quantity)]);
  return JSON.stringify([used, occurredAt, pairs]);
}

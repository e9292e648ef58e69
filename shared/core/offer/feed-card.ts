import type { Instant } from "../line/account.ts";
import type { Feed } from "./feed.ts";
import { type MeterVersion, toRateCard } from "./rate-card.ts";

/** A version of a meter without its price. */
export type FedVersion = Pick<MeterVersion, "meter" | "validFrom" | "feed">;

/** By event type: the meters that it feeds or has fed, each with all its versions, newest first. */
export type FeedCard = ReadonlyMap<string, ReadonlyMap<string, readonly FedVersion[]>>;

/** The feeds of versions of meters; those without a feed have no place on it. */
export function toFeedCard(versions: Iterable<FedVersion>): FeedCard {
  const card = new Map<string, Map<string, readonly FedVersion[]>>();
  for (const [meter, newestFirst] of toRateCard(versions)) {
    for (const { feed } of newestFirst) {
      if (feed === undefined) continue;
      const fed = card.get(feed.eventType) ?? new Map<string, readonly FedVersion[]>();
      card.set(feed.eventType, fed.set(meter, newestFirst));
    }
  }
  return card;
}

/**
 * What an event of a type feeds, by meter, as of when it occurred, so that a repeat always becomes the
 * same usage. Empty: it feeds the meter named like its type, if there is one.
 */
export function feedsAt(
  card: FeedCard,
  eventType: string,
  occurredAt: Instant,
): ReadonlyMap<string, Feed> {
  const fed = new Map<string, Feed>();
  for (const [meter, newestFirst] of card.get(eventType) ?? []) {
    const feed = newestFirst.find(({ validFrom }) => validFrom <= occurredAt)?.feed;
    if (feed?.eventType === eventType) fed.set(meter, feed);
  }
  return fed;
}

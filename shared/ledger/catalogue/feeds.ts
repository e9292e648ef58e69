import type { Instant } from "../../core/line/account.ts";
import { type FeedCard, toFeedCard } from "../../core/offer/feed-card.ts";
import type { Database } from "../postgres/database.ts";
import { listRates } from "./rates.ts";

const FRESH_MS = 5_000;

/**
 * What feeds meters, read at most every five seconds: what is applied is in force everywhere within
 * them. A meter that stands is fed otherwise from six minutes on at the earliest (`earliestChange`),
 * so that only a new one is missed meanwhile.
 */
export function feedReader(database: Database, now: () => Instant): () => Promise<FeedCard> {
  let reading: { readonly card: Promise<FeedCard>; readonly until: Instant } | null = null;
  return () => {
    const at = now();
    if (reading !== null && at < reading.until) return reading.card;
    const card = listRates(database).then(toFeedCard);
    reading = { card, until: at + FRESH_MS };
    card.catch(() => {
      reading = null;
    });
    return card;
  };
}

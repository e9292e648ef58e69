import type { Instant } from "../../core/line/account.ts";
import { type FeedCard, toFeedCard } from "../../core/offer/feed-card.ts";
import type { Database } from "../postgres/database.ts";
import { listRates } from "./rates.ts";

const FRESH_MS = 5_000;

/**
 * Reads the feeds of meters at most every five seconds. The feed of an existing meter changes after six
 * minutes at the earliest (`earliestChange`), so only a new meter can be missed meanwhile.
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

import { setTimeout as sleep } from "node:timers/promises";
import type { Instant } from "../core/account.ts";
import { type FeedCard, toFeedCard } from "../core/feed-card.ts";
import type { Database } from "./database.ts";
import { listRates } from "./rates.ts";

const FRESH_MS = 5_000;
/**
 * What a meter that has a price is fed by changes six minutes ahead at the earliest
 * (`earliestChange`), so that an old reading is right for about so long.
 */
const USABLE_MS = 5 * 60_000;
const WAIT_MS = 1_000;

interface Reading {
  readonly card: FeedCard;
  readonly at: Instant;
}

/**
 * Reads what feeds meters, at most every five seconds. While Postgres cannot be read, the last reading
 * serves for five minutes more; then, or without any, it throws.
 */
export function feedReader(database: Database, now: () => Instant): () => Promise<FeedCard> {
  let last: Reading | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<Reading> | null = null;

  async function read(at: Instant): Promise<Reading> {
    triedAt = at;
    try {
      last = { card: toFeedCard(await listRates(database)), at };
      return last;
    } finally {
      underWay = null;
    }
  }

  return async () => {
    const at = now();
    const usable = last !== null && at - last.at < USABLE_MS ? last : null;
    if (usable !== null && at - triedAt < FRESH_MS && underWay === null) return usable.card;
    underWay ??= read(at);
    if (usable === null) return (await underWay).card;
    const reading = await Promise.race([
      underWay.catch(() => usable),
      sleep(WAIT_MS, usable, { ref: false }),
    ]);
    return reading.card;
  };
}

import type { Instant } from "../../core/line/account.ts";
import { type FedVersion, type FeedCard, toFeedCard } from "../../core/offer/feed-card.ts";
import { type Database, queryRows } from "../postgres/database.ts";
import { type FeedColumns, feedOfColumns } from "./feed-columns.ts";

const FRESH_MS = 5_000;

/** Without the rates, of which a meter may have thousands. */
const READ = `
  SELECT meter, valid_from AS "validFrom", fed_by AS "fedBy", value_path AS "valuePath",
         dimension_paths AS "dimensionPaths"
  FROM rate`;

/**
 * Reads the feeds of meters at most every five seconds. The feed of an existing meter changes after six
 * minutes at the earliest (`earliestChange`), so only a new meter can be missed meanwhile.
 */
export function feedReader(database: Database, now: () => Instant): () => Promise<FeedCard> {
  let reading: { readonly card: Promise<FeedCard>; readonly until: Instant } | null = null;
  return () => {
    const at = now();
    if (reading !== null && at < reading.until) return reading.card;
    const card = readFeeds(database).then(toFeedCard);
    reading = { card, until: at + FRESH_MS };
    card.catch(() => {
      reading = null;
    });
    return card;
  };
}

async function readFeeds(database: Database): Promise<FedVersion[]> {
  type Row = FeedColumns & Pick<FedVersion, "meter" | "validFrom">;
  const rows = await queryRows<Row>(database, READ, [], "read-feeds");
  return rows.map(({ meter, validFrom, ...columns }) => {
    const feed = feedOfColumns(columns);
    return { meter, validFrom, ...(feed === null ? {} : { feed }) };
  });
}

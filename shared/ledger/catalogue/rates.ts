import type { Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { type Rate, type RateCard, rateAt, toRateCard } from "../../core/offer/rate-card.ts";
import {
  type Database,
  inTransaction,
  type Queryable,
  type Transaction,
} from "../postgres/database.ts";
import { type FeedColumns, feedOfColumns, feedToColumns } from "./feed-columns.ts";

const READ = `
  SELECT meter, valid_from AS "validFrom", credits, per, fed_by AS "fedBy",
         value_path AS "valuePath", dimension_paths AS "dimensionPaths"
  FROM rate
  ORDER BY meter, valid_from`;

/** All rates, by meter, oldest first. */
export async function listRates(database: Queryable): Promise<Rate[]> {
  const { rows } = await database.query<Omit<Rate, "feed"> & FeedColumns>({
    name: "list-rates",
    text: READ,
  });
  return rows.map(({ fedBy, valuePath, dimensionPaths, ...rate }) => {
    const feed = feedOfColumns({ fedBy, valuePath, dimensionPaths });
    return feed === null ? rate : { ...rate, feed };
  });
}

const COUNT = "SELECT count(*)::integer FROM rate";

/**
 * Reads the rate card in a transaction, from memory as long as no rate was added. Rates are only
 * ever added, so their number says whether the card in memory is still the whole one.
 */
export function rateCardReader(): (transaction: Transaction) => Promise<RateCard> {
  let card: RateCard = new Map();
  let known = 0;
  return async (transaction) => {
    const { rows } = await transaction.query<{ count: number }>({
      name: "count-rates",
      text: COUNT,
    });
    if (rows[0]?.count !== known) {
      const rates = await listRates(transaction);
      card = toRateCard(rates);
      known = rates.length;
    }
    return card;
  };
}

type SetRateOutcome =
  | { readonly kind: "set" }
  /** This very rate was set before. */
  | { readonly kind: "already_exists" }
  | Refusal<"version_exists" | "too_early">;

/** Clocks that read the window differ; and a batch that began before the rate was set may still run. */
const MARGIN_MS = 60_000;

const LOCK = "SELECT pg_advisory_xact_lock(hashtext('drawdown.rate'))";

/** Held to the end of the transaction: only one at a time adds rates, plans, add-ons or credit prices. */
export async function lockPrices(transaction: Transaction): Promise<void> {
  await transaction.query(LOCK);
}

const INSERT = `
  INSERT INTO rate (meter, valid_from, credits, per, fed_by, value_path, dimension_paths)
  VALUES ($1, to_timestamp($2 / 1000.0), $3, $4, $5, $6, $7)`;

/** From when a meter that has a price already may have another, given how far ahead events are metered. */
export function earliestChange(now: Instant, maxAheadMs: number): Instant {
  return now + maxAheadMs + MARGIN_MS;
}

/**
 * Sets a meter's price from an instant on; what feeds it then goes on feeding it. A meter's first price may begin at any time; a later one
 * not before `earliestChange`: so no event is ever priced at a rate that another one later takes the
 * place of.
 */
export async function setRate(
  database: Database,
  rate: Omit<Rate, "feed">,
  now: Instant,
  maxAheadMs: number,
): Promise<SetRateOutcome> {
  return inTransaction(database, async (transaction) => {
    await lockPrices(transaction);
    const ofMeter = (await listRates(transaction)).filter(({ meter }) => meter === rate.meter);
    const standing = ofMeter.find(({ validFrom }) => validFrom === rate.validFrom);
    if (standing !== undefined) {
      const same = standing.credits === rate.credits && standing.per === rate.per;
      return same ? { kind: "already_exists" } : { kind: "version_exists" };
    }
    const earliest = earliestChange(now, maxAheadMs);
    if (ofMeter.length > 0 && rate.validFrom < earliest) return { kind: "too_early", earliest };
    const before = rateAt(toRateCard(ofMeter), rate.meter, rate.validFrom);
    const feed = typeof before === "string" ? undefined : before.feed;
    const { fedBy, valuePath, dimensionPaths } = feedToColumns(feed);
    const price = [rate.meter, rate.validFrom, rate.credits, rate.per];
    await transaction.query(INSERT, [...price, fedBy, valuePath, dimensionPaths]);
    return { kind: "set" };
  });
}

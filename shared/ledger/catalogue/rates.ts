import type { Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { type Rate, type RateCard, rateAt, toRateCard } from "../../core/offer/rate-card.ts";
import {
  type Database,
  inTransaction,
  type Queryable,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";
import { type FeedColumns, feedOfColumns, feedToColumns } from "./feed-columns.ts";

const READ = `
  SELECT meter, valid_from AS "validFrom", credits, per, rounds_each AS "roundsEach", fed_by AS "fedBy",
         value_path AS "valuePath", dimension_paths AS "dimensionPaths", set_by AS "setBy"
  FROM rate
  ORDER BY meter, valid_from`;

/** All rates, by meter, oldest first. */
export async function listRates(database: Queryable): Promise<Rate[]> {
  type Row = Omit<Rate, "feed" | "roundsEach"> & FeedColumns & { readonly roundsEach: boolean };
  const rows = await queryRows<Row>(database, READ, [], "list-rates");
  return rows.map(({ fedBy, valuePath, dimensionPaths, roundsEach, ...rate }) => {
    const feed = feedOfColumns({ fedBy, valuePath, dimensionPaths });
    return {
      ...rate,
      ...(feed === null ? {} : { feed }),
      ...(roundsEach ? { roundsEach } : {}),
    };
  });
}

const COUNT = "SELECT count(*)::integer FROM rate";

/**
 * Reads the rate card in a transaction, from memory while no rate is added. Rates are only added, so
 * their number shows whether the card in memory is complete.
 */
export function rateCardReader(): (transaction: Transaction) => Promise<RateCard> {
  let card: RateCard = new Map();
  let known = 0;
  return async (transaction) => {
    const row = await queryRow<{ count: number }>(transaction, COUNT, [], "count-rates");
    if (row?.count !== known) {
      const rates = await listRates(transaction);
      card = toRateCard(rates);
      known = rates.length;
    }
    return card;
  };
}

type SetRateOutcome =
  | { readonly kind: "set" }
  /** The same rate was set before. */
  | { readonly kind: "already_exists" }
  | Refusal<"version_exists" | "too_early">;

/** For clocks that differ, and batches that began before the rate was set. */
const MARGIN_MS = 60_000;

const LOCK = "SELECT pg_advisory_xact_lock(hashtext('drawdown.rate'))";

/** Locks the catalogue until the transaction ends, so that one transaction at a time adds to it. */
export async function lockPrices(transaction: Transaction): Promise<void> {
  await transaction.query(LOCK);
}

const INSERT = `
  INSERT INTO rate (meter, valid_from, credits, per, fed_by, value_path, dimension_paths, set_by,
                    rounds_each)
  VALUES ($1, to_timestamp($2 / 1000.0), $3, $4, $5, $6, $7, $8, false)`;

/** The earliest start of a further price, given how far ahead of the clock events are metered. */
export function earliestChange(now: Instant, maxAheadMs: number): Instant {
  return now + maxAheadMs + MARGIN_MS;
}

/**
 * Sets a meter's price from an instant on and keeps its feed; `by`: who requested it. The first price of a meter may begin at any
 * time, a later one not before `earliestChange`, so that no metered event would get another price.
 */
export async function setRate(
  database: Database,
  rate: Omit<Rate, "feed">,
  now: Instant,
  maxAheadMs: number,
  by: string | null = null,
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
    await transaction.query(INSERT, [...price, fedBy, valuePath, dimensionPaths, by]);
    return { kind: "set" };
  });
}

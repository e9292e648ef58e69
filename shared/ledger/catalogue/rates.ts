import type { Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { isSamePrice } from "../../core/offer/catalogue-terms.ts";
import {
  isTable,
  type MeterVersion,
  type Rate,
  type RoundUp,
  type StatedRate,
  toRateCard,
  versionInForce,
} from "../../core/offer/rate-card.ts";
import type { RateSource } from "../../core/offer/rate-origin.ts";
import { rateTable } from "../../core/offer/rate-table.ts";
import { type Rates, toRates } from "../../core/offer/rates.ts";
import {
  type Database,
  inTransaction,
  type Queryable,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";
import { type FeedColumns, feedOfColumns, feedToColumns } from "./feed-columns.ts";
import { listOwnTerms } from "./own-terms.ts";
import { ORIGIN, type OriginRow, readSources, type SourceOf, toOrigin } from "./rate-origins.ts";
import { STATED, type StatedRow, type TierRow, toStated, toTiers } from "./stated-rows.ts";

/** A table's rates are in one statement with it, so that none is read without them. */
const read = (origin: string) => `
  SELECT meter, valid_from AS "validFrom", credits, per, rounds_each AS "roundsEach", fed_by AS "fedBy",
         value_path AS "valuePath", dimension_paths AS "dimensionPaths", set_by AS "setBy", dimensions,
         round_up AS "roundUp", tiers,
         CASE WHEN dimensions IS NOT NULL THEN (
           SELECT json_agg(json_build_object(${STATED}, 'setBy', part.set_by${origin}) ORDER BY place)
           FROM rate_by_dimensions AS part
           WHERE (part.meter, part.valid_from) = (rate.meter, rate.valid_from)
         ) END AS rates
  FROM rate
  WHERE $1::text IS NULL OR meter = $1
  ORDER BY meter, valid_from`;

const READ = read("");
const READ_WITH_ORIGINS = read(`, 'origin', ${ORIGIN}`);

interface Row extends FeedColumns {
  readonly meter: string;
  readonly validFrom: Instant;
  readonly setBy: string | null;
  readonly credits: bigint;
  readonly per: bigint;
  readonly roundsEach: boolean;
  readonly roundUp: RoundUp | null;
  readonly tiers: readonly TierRow[] | null;
  readonly dimensions: readonly string[] | null;
  /** In JSON amounts are decimal strings. */
  readonly rates: readonly RateRow[] | null;
}

interface RateRow extends StatedRow {
  readonly setBy: string | null;
  readonly origin?: OriginRow | null;
}

/** All versions of one meter, or of all (null) by meter, oldest first. */
export async function listRates(
  database: Queryable,
  meter: string | null = null,
): Promise<MeterVersion[]> {
  const rows = await queryRows<Row>(database, READ, [meter], "list-rates");
  return rows.map((row) => toVersion(row));
}

/** The same, each rate with what it was imported from. */
export async function listRatesWithOrigins(
  database: Queryable,
  meter: string | null = null,
): Promise<MeterVersion[]> {
  const rows = await queryRows<Row>(database, READ_WITH_ORIGINS, [meter], "list-rate-origins");
  // Only added to, and read after the rates: none lacks its source.
  const sourceOf = await readSources(database, meter);
  return rows.map((row) => toVersion(row, sourceOf));
}

function toVersion(
  { meter, validFrom, setBy, ...row }: Row,
  sourceOf: SourceOf = () => undefined,
): MeterVersion {
  const feed = feedOfColumns(row);
  const named = { meter, validFrom, setBy, ...(feed === null ? {} : { feed }) };
  const { credits, per, roundUp, dimensions, rates } = row;
  if (dimensions === null || rates === null) {
    const counted = { ...(roundUp === null ? {} : { roundUp }), ...toTiers(row.tiers) };
    return { ...named, credits, per, ...counted, ...(row.roundsEach ? { roundsEach: true } : {}) };
  }
  const stated = rates.map((rate) => {
    const source = rate.origin ? sourceOf(meter, rate.origin.importedAt) : undefined;
    return toListed(rate, source);
  });
  return rateTable(named, { dimensions, rates: stated });
}

function toListed({ setBy, origin, ...row }: RateRow, source: RateSource | undefined): StatedRate {
  return {
    ...toStated(row),
    ...(setBy === null ? {} : { setBy }),
    ...(origin && source ? { origin: toOrigin(origin, source) } : {}),
  };
}

/** Reads the rates of all accounts. */
export async function readRates(transaction: Queryable): Promise<Rates> {
  const list = toRateCard(await listRates(transaction));
  return toRates(list, await listOwnTerms(transaction));
}

const COUNT = `
  SELECT (SELECT count(*) + coalesce(sum(completions), 0) FROM rate)::integer AS listed,
         (SELECT count(*) FROM own_terms)::integer AS own`;

/**
 * Reads the rates of all accounts in a transaction, from memory while none is added. Versions are only added, and
 * completed, and own terms only added, so their numbers show whether what is in memory is complete. All own terms
 * are kept there: some thousands of accounts may have them, as each is an object, and all are read again when one
 * is added.
 */
export function ratesReader(): (transaction: Transaction) => Promise<Rates> {
  let rates = toRates(new Map());
  let known = { listed: 0, own: 0 };
  return async (transaction) => {
    const counted = await queryRow<typeof known>(transaction, COUNT, [], "count-rates");
    if (counted !== null && (counted.listed !== known.listed || counted.own !== known.own)) {
      // What is added after the count is noticed next time.
      rates = await readRates(transaction);
      known = counted;
    }
    return rates;
  };
}

type SetRateOutcome =
  | { readonly kind: "set" }
  /** The same rate was set before. */
  | { readonly kind: "already_exists" }
  | Refusal<"version_exists" | "too_early" | "priced_by_dimensions">;

/** For clocks that differ, and batches that began before the rate was set. */
const MARGIN_MS = 60_000;

const LOCK = "SELECT pg_advisory_xact_lock(hashtext('drawdown.rate'))";

/** Locks the catalogue until the transaction ends, so that one transaction at a time adds to it. */
export async function lockPrices(transaction: Transaction): Promise<void> {
  await transaction.query(LOCK);
}

const INSERT = `
  INSERT INTO rate (meter, valid_from, credits, per, round_up, fed_by, value_path, dimension_paths,
                    set_by, rounds_each)
  VALUES ($1, to_timestamp($2 / 1000.0), $3, $4, $5, $6, $7, $8, $9, false)`;

/** The earliest start of a further price, given how far ahead of the clock events are metered. */
export function earliestChange(now: Instant, maxAheadMs: number): Instant {
  return now + maxAheadMs + MARGIN_MS;
}

/**
 * Sets a meter's price from an instant on and keeps its feed; `by`: who requested it. The first price of a meter may
 * begin at any time, a later one not before `earliestChange`, so that no metered event would get another price.
 * Prices by dimensions are not replaced by one.
 */
export async function setRate(
  database: Database,
  rate: Omit<Rate, "feed" | "of">,
  now: Instant,
  maxAheadMs: number,
  by: string | null = null,
): Promise<SetRateOutcome> {
  return inTransaction(database, async (transaction) => {
    await lockPrices(transaction);
    const { meter, validFrom } = rate;
    const ofMeter = await listRates(transaction, meter);
    const before = versionInForce(toRateCard(ofMeter), meter, validFrom);
    if (typeof before !== "string" && isTable(before))
      return { kind: "priced_by_dimensions", meter };
    const standing = ofMeter.find((version) => version.validFrom === validFrom);
    if (standing !== undefined && !isTable(standing)) {
      return isSamePrice(standing, rate) ? { kind: "already_exists" } : { kind: "version_exists" };
    }
    const earliest = earliestChange(now, maxAheadMs);
    if (ofMeter.length > 0 && validFrom < earliest) return { kind: "too_early", earliest };
    const feed = typeof before === "string" ? undefined : before.feed;
    const { fedBy, valuePath, dimensionPaths } = feedToColumns(feed);
    const price = [meter, validFrom, rate.credits, rate.per, rate.roundUp ?? null];
    await transaction.query(INSERT, [...price, fedBy, valuePath, dimensionPaths, by]);
    return { kind: "set" };
  });
}

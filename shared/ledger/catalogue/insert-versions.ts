import type { Instant } from "../../core/line/account.ts";
import type { LotLife } from "../../core/offer/catalogue.ts";
import type { MeterTerms } from "../../core/offer/catalogue-terms.ts";
import type { CatalogueChanges, Change } from "../../core/offer/change-catalogue.ts";
import { commonPer } from "../../core/offer/rate-table.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import type { Transaction } from "../postgres/database.ts";
import { feedToColumns } from "./feed-columns.ts";
import { insertSources, originColumns } from "./rate-origins.ts";
import { statedColumns } from "./stated-rows.ts";

const INSERT_RATES = `
  INSERT INTO rate (meter, valid_from, credits, per, round_up, tiers, dimensions, fed_by,
                    value_path, dimension_paths, set_by, rounds_each)
  SELECT meter, valid_from, credits, per, round_up, tiers, dimensions, fed_by, value_path, dimension_paths,
         $2, false
  FROM jsonb_populate_recordset(NULL::rate, $1)`;

const INSERT_RATES_BY_DIMENSIONS = `
  INSERT INTO rate_by_dimensions (meter, valid_from, place, patterns, band_of, band_from, credits, per, round_up,
                                  set_by, list_price, list_per, markup, imported_at)
  SELECT meter, valid_from, place, patterns, band_of, band_from, credits, per, round_up, set_by,
         list_price, list_per, markup, imported_at
  FROM jsonb_populate_recordset(NULL::rate_by_dimensions, $1)`;

const COMPLETE_RATES = `
  UPDATE rate
  SET completions = rate.completions + 1, completed_at = to_timestamp($2 / 1000.0)
  FROM jsonb_populate_recordset(NULL::rate, $1) AS whole
  WHERE (rate.meter, rate.valid_from) = (whole.meter, whole.valid_from)`;

const INSERT_PLANS = `
  INSERT INTO plan (plan_id, valid_from, credits, life, life_months, set_by, first_credits,
                    first_month)
  SELECT plan_id, valid_from, credits, life, life_months, $2, first_credits, first_month
  FROM jsonb_populate_recordset(NULL::plan, $1)`;

const INSERT_PLAN_PRICES = `
  INSERT INTO plan_price (plan_id, valid_from, currency, monthly, yearly)
  SELECT plan_id, valid_from, currency, monthly, yearly
  FROM jsonb_populate_recordset(NULL::plan_price, $1)`;

const INSERT_ADD_ONS = `
  INSERT INTO add_on (add_on_id, valid_from, credits, set_by)
  SELECT add_on_id, valid_from, credits, $2
  FROM jsonb_populate_recordset(NULL::add_on, $1)`;

const INSERT_CREDIT_PRICES = `
  INSERT INTO credit_price (currency, valid_from, credits, life, life_months, set_by)
  SELECT currency, valid_from, credits, life, life_months, $2
  FROM jsonb_populate_recordset(NULL::credit_price, $1)`;

/**
 * Adds the versions that are new, and rates to those that are completed; `by`: who requested it. The caller holds the
 * lock under which they were decided.
 */
export async function insertVersions(
  transaction: Transaction,
  { meters, plans, addOns, creditPrices }: Omit<CatalogueChanges, "names">,
  now: Instant,
  by: string | null,
): Promise<void> {
  const rowsOf = (rows: readonly object[]) => JSON.stringify(rows, amountsAsText);
  const insert = (text: string, rows: readonly object[]) =>
    transaction.query(text, [rowsOf(rows), by]);
  const newPlans = plans.filter(isNew);
  const newMeters = meters.filter(isNew);
  await insert(INSERT_RATES, newMeters.map(rateRow));
  const whole = meters.filter(({ kind }) => kind === "completed");
  await transaction.query(COMPLETE_RATES, [rowsOf(whole.map(versionKey)), now]);
  await insertSources(transaction, [...newMeters, ...whole], now);
  const rates = [
    ...newMeters.flatMap((meter) => dimensionRows(meter, now)),
    ...whole.flatMap((meter) => addedRows(meter, now)).map((row) => ({ ...row, set_by: by })),
  ];
  await transaction.query(INSERT_RATES_BY_DIMENSIONS, [rowsOf(rates)]);
  await insert(
    INSERT_PLANS,
    newPlans.map((plan) => ({
      ...{ plan_id: plan.id, ...creditsOf(plan), ...lifeOf(plan.terms) },
      ...{ first_credits: plan.terms.firstCredits, first_month: plan.terms.firstMonth },
    })),
  );
  const prices = newPlans.flatMap(({ id, validFrom, terms }) =>
    terms.prices.map((price) => ({ plan_id: id, valid_from: new Date(validFrom), ...price })),
  );
  await transaction.query(INSERT_PLAN_PRICES, [rowsOf(prices)]);
  await insert(
    INSERT_ADD_ONS,
    addOns.filter(isNew).map((addOn) => ({ add_on_id: addOn.id, ...creditsOf(addOn) })),
  );
  await insert(
    INSERT_CREDIT_PRICES,
    creditPrices
      .filter(isNew)
      .map((price) => ({ currency: price.id, ...creditsOf(price), ...lifeOf(price.terms) })),
  );
}

function isNew({ kind }: Change<unknown>): boolean {
  return kind === "added" || kind === "new_version";
}

function rateRow(meter: Change<MeterTerms>) {
  const { fedBy, valuePath, dimensionPaths } = feedToColumns(meter.terms.feed);
  return {
    ...{ ...versionKey(meter), ...pricing(meter.terms) },
    ...{ fed_by: fedBy, value_path: valuePath },
    dimension_paths: dimensionPaths === null ? null : JSON.parse(dimensionPaths),
  };
}

function versionKey({ id, validFrom }: Change<MeterTerms>) {
  return { meter: id, valid_from: new Date(validFrom) };
}

/** A meter whose price depends on the event has the units in which its remainders are counted. */
function pricing(terms: MeterTerms) {
  if (!("rates" in terms)) {
    const { credits, per, roundUp, tiers } = terms;
    return { credits, per, round_up: roundUp ?? null, tiers: tiers ?? null };
  }
  return { credits: null, per: commonPer(terms.rates), dimensions: terms.dimensions };
}

/** Those of a version that is completed come behind the ones that it replaces. */
function addedRows(change: Change<MeterTerms>, now: Instant) {
  const { replaces } = change;
  const standing = replaces !== null && "rates" in replaces ? replaces.rates.length : 0;
  return dimensionRows(change, now).slice(standing);
}

function dimensionRows(change: Change<MeterTerms>, now: Instant) {
  const { terms } = change;
  const rates = "rates" in terms ? terms.rates : [];
  return rates.map((rate, place) => ({
    ...{ ...versionKey(change), place, ...statedColumns(rate) },
    ...originColumns(rate.origin, now),
  }));
}

/** In JSON a Date is ISO text, which Postgres reads as a timestamptz. */
function creditsOf({ validFrom, terms }: Change<{ readonly credits: bigint }>) {
  return { valid_from: new Date(validFrom), credits: terms.credits };
}

function lifeOf({ life }: { readonly life: LotLife }) {
  return { life: life.kind, life_months: life.kind === "months" ? life.months : null };
}

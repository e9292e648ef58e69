import type { LotLife } from "../../core/offer/catalogue.ts";
import type {
  AddOnTerms,
  CreditPriceTerms,
  MeterTerms,
  PlanTerms,
} from "../../core/offer/catalogue-terms.ts";
import type { CatalogueChanges, Change } from "../../core/offer/change-catalogue.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";
import { feedToColumns } from "./feed-columns.ts";

const INSERT_RATES = `
  INSERT INTO rate (meter, valid_from, credits, per, fed_by, value_path, dimension_paths)
  SELECT meter, to_timestamp(valid_from / 1000.0), credits, per, fed_by, value_path, dimension_paths
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[])
    AS new (meter, valid_from, credits, per, fed_by, value_path, dimension_paths)`;

const INSERT_PLANS = `
  INSERT INTO plan (plan_id, valid_from, credits, life, life_months)
  SELECT plan_id, to_timestamp(valid_from / 1000.0), credits, life, life_months
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[])
    AS new (plan_id, valid_from, credits, life, life_months)`;

const INSERT_PLAN_PRICES = `
  INSERT INTO plan_price (plan_id, valid_from, currency, monthly, yearly)
  SELECT plan_id, to_timestamp(valid_from / 1000.0), currency, monthly, yearly
  FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
    AS new (plan_id, valid_from, currency, monthly, yearly)`;

const INSERT_ADD_ONS = `
  INSERT INTO add_on (add_on_id, valid_from, credits)
  SELECT add_on_id, to_timestamp(valid_from / 1000.0), credits
  FROM unnest($1::text[], $2::bigint[], $3::bigint[])
    AS new (add_on_id, valid_from, credits)`;

const INSERT_CREDIT_PRICES = `
  INSERT INTO credit_price (currency, valid_from, credits, life, life_months)
  SELECT currency, to_timestamp(valid_from / 1000.0), credits, life, life_months
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[])
    AS new (currency, valid_from, credits, life, life_months)`;

/** Adds the versions that are new. The caller holds the lock that they were decided under. */
export async function insertVersions(
  transaction: Transaction,
  { meters, plans, addOns, creditPrices }: CatalogueChanges,
): Promise<void> {
  await insertRates(transaction, meters.filter(isNew));
  await insertPlans(transaction, plans.filter(isNew));
  await insertAddOns(transaction, addOns.filter(isNew));
  await insertCreditPrices(transaction, creditPrices.filter(isNew));
}

function isNew({ kind }: Change<unknown>): boolean {
  return kind !== "unchanged";
}

async function insertRates(transaction: Transaction, rates: readonly Change<MeterTerms>[]) {
  const per = bigintArray(rates.map(({ terms }) => terms.per));
  const feeds = rates.map(({ terms }) => feedToColumns(terms.feed));
  await transaction.query(INSERT_RATES, [
    ...keysAndCredits(rates),
    per,
    textArray(feeds.map(({ fedBy }) => fedBy)),
    textArray(feeds.map(({ valuePath }) => valuePath)),
    textArray(feeds.map(({ dimensionPaths }) => dimensionPaths)),
  ]);
}

async function insertPlans(transaction: Transaction, plans: readonly Change<PlanTerms>[]) {
  await transaction.query(INSERT_PLANS, [...keysAndCredits(plans), ...lives(plans)]);
  const prices = plans.flatMap(({ id, validFrom, terms }) =>
    terms.prices.map((price) => ({ id, validFrom, ...price })),
  );
  await transaction.query(INSERT_PLAN_PRICES, [
    textArray(prices.map(({ id }) => id)),
    bigintArray(prices.map(({ validFrom }) => validFrom)),
    textArray(prices.map(({ currency }) => currency)),
    bigintArray(prices.map(({ monthly }) => monthly)),
    bigintArray(prices.map(({ yearly }) => yearly)),
  ]);
}

async function insertAddOns(transaction: Transaction, addOns: readonly Change<AddOnTerms>[]) {
  await transaction.query(INSERT_ADD_ONS, keysAndCredits(addOns));
}

async function insertCreditPrices(
  transaction: Transaction,
  prices: readonly Change<CreditPriceTerms>[],
) {
  await transaction.query(INSERT_CREDIT_PRICES, [...keysAndCredits(prices), ...lives(prices)]);
}

function keysAndCredits(versions: readonly Change<{ readonly credits: bigint }>[]): string[] {
  return [
    textArray(versions.map(({ id }) => id)),
    bigintArray(versions.map(({ validFrom }) => validFrom)),
    bigintArray(versions.map(({ terms }) => terms.credits)),
  ];
}

function lives(versions: readonly Change<{ readonly life: LotLife }>[]): string[] {
  const all = versions.map(({ terms }) => terms.life);
  return [
    textArray(all.map(({ kind }) => kind)),
    bigintArray(all.map((life) => (life.kind === "months" ? life.months : null))),
  ];
}

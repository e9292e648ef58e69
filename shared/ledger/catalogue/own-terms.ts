import type { AccountId, Instant } from "../../core/line/account.ts";
import { unitPriceOf } from "../../core/offer/catalogue-terms.ts";
import type { OwnPricing, OwnTerms } from "../../core/offer/own-terms.ts";
import { commonPer } from "../../core/offer/rate-table.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { type Queryable, queryRows, type Transaction } from "../postgres/database.ts";
import { STATED, type StatedRow, statedColumns, toStated } from "./stated-rows.ts";

/** Rates are in one statement with their terms, so that none are read without them. */
const READ = `
  SELECT account_id AS "accountId", meter, valid_from AS "validFrom", discount, dimensions, reason,
         set_by AS "setBy",
         CASE WHEN discount IS NULL THEN (
           SELECT json_agg(json_build_object(${STATED}, 'tiers', part.tiers) ORDER BY place)
           FROM own_rate AS part
           WHERE (part.account_id, part.meter, part.valid_from)
                 = (terms.account_id, terms.meter, terms.valid_from)
         ) END AS rates
  FROM own_terms AS terms`;

const ALL = `${READ} ORDER BY account_id, valid_from, meter`;
const OF_ACCOUNT = `${READ} WHERE account_id = $1 ORDER BY valid_from, meter`;

interface Row extends Pick<OwnTerms, "accountId" | "validFrom" | "reason" | "setBy"> {
  /** Empty: all meters. */
  readonly meter: string;
  readonly discount: number | null;
  readonly dimensions: readonly string[] | null;
  readonly rates: readonly StatedRow[] | null;
}

/** All terms of accounts, oldest first within each. */
export async function listOwnTerms(database: Queryable): Promise<OwnTerms[]> {
  return (await queryRows<Row>(database, ALL, [], "list-own-terms")).map(toTerms);
}

/** The terms of one account, oldest first. */
export async function listOwnTermsOf(
  database: Queryable,
  accountId: AccountId,
): Promise<OwnTerms[]> {
  return (await queryRows<Row>(database, OF_ACCOUNT, [accountId])).map(toTerms);
}

function toTerms({ discount, dimensions, rates, meter, ...row }: Row): OwnTerms {
  const pricing: OwnPricing =
    discount === null
      ? { kind: "rates", terms: toRates(dimensions ?? [], (rates ?? []).map(toStated)) }
      : { kind: "discount", basisPoints: discount };
  return { ...row, meter: meter === "" ? null : meter, pricing };
}

/** One rate that holds whatever the event is one price. */
function toRates(dimensions: readonly string[], rates: readonly ReturnType<typeof toStated>[]) {
  const [only, ...others] = rates;
  return dimensions.length === 0 &&
    only !== undefined &&
    only.band === undefined &&
    others.length === 0
    ? unitPriceOf(only)
    : { dimensions, rates };
}

const INSERT = `
  INSERT INTO own_terms (account_id, meter, valid_from, discount, dimensions, per, reason, set_by, set_at)
  VALUES ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7, $8, to_timestamp($9 / 1000.0))`;

const INSERT_RATES = `
  INSERT INTO own_rate (account_id, meter, valid_from, place, patterns, band_of, band_from, credits, per,
                        round_up, tiers)
  SELECT $1, $2, to_timestamp($3 / 1000.0), place, patterns, band_of, band_from, credits, per, round_up, tiers
  FROM jsonb_populate_recordset(NULL::own_rate, $4)`;

/** Adds terms, which nothing in the tables contradicts; the account is locked. */
export async function insertOwnTerms(
  transaction: Transaction,
  { accountId, meter, validFrom, pricing, reason, setBy }: OwnTerms,
  now: Instant,
): Promise<void> {
  const key = [accountId, meter ?? "", validFrom];
  const { discount, dimensions, rates } = columnsOf(pricing);
  const per = rates.length === 0 ? null : commonPer(rates);
  await transaction.query(INSERT, [...key, discount, dimensions, per, reason, setBy, now]);
  if (rates.length === 0) return;
  await transaction.query(INSERT_RATES, [
    ...key,
    JSON.stringify(
      rates.map((rate, place) => ({ place, ...statedColumns(rate) })),
      amountsAsText,
    ),
  ]);
}

function columnsOf(pricing: OwnPricing) {
  if (pricing.kind === "discount") {
    return { discount: pricing.basisPoints, dimensions: null, rates: [] };
  }
  const { terms } = pricing;
  return "rates" in terms
    ? { discount: null, dimensions: terms.dimensions, rates: terms.rates }
    : { discount: null, dimensions: [], rates: [{ ...terms, patterns: [] }] };
}

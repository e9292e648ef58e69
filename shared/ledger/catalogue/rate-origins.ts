import type { Instant } from "../../core/line/account.ts";
import type { MeterTerms } from "../../core/offer/catalogue-terms.ts";
import type { Change } from "../../core/offer/change-catalogue.ts";
import type { ExplainedRate } from "../../core/offer/explained-rate.ts";
import { isOwn, type Rate } from "../../core/offer/rate-card.ts";
import type { RateOrigin, RateSource } from "../../core/offer/rate-origin.ts";
import { type Queryable, queryRow, queryRows, type Transaction } from "../postgres/database.ts";

const SOURCE = `
  json_build_object(
    'importedAt', 1000 * extract(epoch FROM source.imported_at),
    'file', file, 'format', format, 'sha256', encode(sha256, 'hex'),
    'currency', currency, 'perCredit', per_credit::text, 'markups', markups)`;

/** Of a row of `rate_by_dimensions AS part`; null: it was not imported. */
export const ORIGIN = `
  CASE WHEN part.imported_at IS NOT NULL THEN json_build_object(
    'listPrice', part.list_price::text, 'listPer', part.list_per::text, 'markup', part.markup::text,
    'importedAt', 1000 * extract(epoch FROM part.imported_at)) END`;

/** As `ORIGIN` has it. In JSON amounts are decimal strings. */
export interface OriginRow {
  readonly listPrice: string;
  readonly listPer: string;
  readonly markup: string;
  readonly importedAt: Instant;
}

const READ_SOURCES = `
  SELECT meter, ${SOURCE} AS source
  FROM rate_source AS source
  WHERE $1::text IS NULL OR meter = $1`;

/** Finds the price table that was imported for a meter at an instant. */
export type SourceOf = (meter: string, importedAt: Instant) => RateSource | undefined;

/** Reads the price tables of one meter, or of all (null). */
export async function readSources(database: Queryable, meter: string | null): Promise<SourceOf> {
  type Row = { readonly meter: string; readonly source: RateSource };
  const rows = await queryRows<Row>(database, READ_SOURCES, [meter], "read-rate-sources");
  const byMeter = Map.groupBy(rows, (row) => row.meter);
  return (of, importedAt) =>
    byMeter.get(of)?.find(({ source }) => source.importedAt === importedAt)?.source;
}

/** What a rate was imported from: the row of its list price, and its price table. */
export function toOrigin(
  { listPrice, listPer, markup }: Omit<OriginRow, "importedAt">,
  source: RateSource,
): RateOrigin {
  return { listPrice, listPer: BigInt(listPer), markup, source };
}

const READ_ORIGIN = `
  SELECT ${ORIGIN} AS origin, ${SOURCE} AS source
  FROM rate_by_dimensions AS part
  JOIN rate_source AS source ON (source.meter, source.imported_at) = (part.meter, part.imported_at)
  WHERE part.meter = $1 AND part.valid_from = to_timestamp($2 / 1000.0) AND part.place = $3`;

/** Explained rates, each with what the list's was imported from. */
export async function withOrigins(
  database: Queryable,
  rates: readonly (ExplainedRate | null)[],
): Promise<(ExplainedRate | null)[]> {
  const read: (ExplainedRate | null)[] = [];
  for (const explained of rates) read.push(explained && (await withOrigin(database, explained)));
  return read;
}

async function withOrigin(database: Queryable, explained: ExplainedRate): Promise<ExplainedRate> {
  const { rate, list } = explained;
  const origin = list && (await readOrigin(database, list));
  if (!list?.stated || origin === null) return explained;
  const imported = { ...list, stated: { ...list.stated, origin } };
  return { ...explained, rate: rate === list ? imported : rate, list: imported };
}

/** What a rate of the list was imported from; null: it was not. */
async function readOrigin(database: Queryable, rate: Rate): Promise<RateOrigin | null> {
  const { of, stated } = rate;
  if (of === undefined || isOwn(of)) return null;
  const place = of.rates.findIndex((each) => each.stated === stated);
  type Row = { readonly origin: OriginRow; readonly source: RateSource };
  const values = [rate.meter, rate.validFrom, place];
  const row = await queryRow<Row>(database, READ_ORIGIN, values, "read-rate-origin");
  return row && toOrigin(row.origin, row.source);
}

const INSERT_SOURCES = `
  INSERT INTO rate_source (meter, imported_at, file, format, sha256, currency, per_credit, markups)
  SELECT meter, imported_at, file, format, sha256, currency, per_credit, markups
  FROM jsonb_populate_recordset(NULL::rate_source, $1)`;

/** Keeps the price tables that versions get rates of. */
export async function insertSources(
  transaction: Transaction,
  meters: readonly Change<MeterTerms>[],
  now: Instant,
): Promise<void> {
  const rows = meters.flatMap(({ id, terms }) => {
    const source = newSourceOf(terms);
    if (source === undefined) return [];
    const { file, format, sha256, currency, perCredit, markups } = source;
    return {
      ...{ meter: id, imported_at: new Date(now), file, format, sha256: `\\x${sha256}` },
      ...{ currency, per_credit: perCredit, markups },
    };
  });
  if (rows.length > 0) await transaction.query(INSERT_SOURCES, [JSON.stringify(rows)]);
}

/** All rates that an import makes have one source. */
function newSourceOf(terms: MeterTerms): RateSource | undefined {
  const rates = "rates" in terms ? terms.rates : [];
  return rates.find(({ origin }) => origin?.source.importedAt === null)?.origin?.source;
}

/** The columns of a rate's origin, imported now or before. */
export function originColumns(origin: RateOrigin | undefined, now: Instant) {
  if (origin === undefined) return {};
  return {
    ...{ list_price: origin.listPrice, list_per: origin.listPer, markup: origin.markup },
    imported_at: new Date(origin.source.importedAt ?? now),
  };
}

import type { Instant } from "../core/account.ts";
import { type Rate, type RateCard, toRateCard } from "../core/rate-card.ts";
import type { Database, Transaction } from "./database.ts";

const READ = `
  SELECT meter, (extract(epoch FROM valid_from) * 1000)::bigint, credits, per
  FROM rate
  ORDER BY meter, valid_from`;

/** All rates, by meter, oldest first. */
export async function listRates(database: Database | Transaction): Promise<Rate[]> {
  const { rows } = await database.query<[string, string, string, string]>({
    name: "list-rates",
    text: READ,
    rowMode: "array",
  });
  return rows.map(([meter, validFrom, credits, per]) => ({
    meter,
    validFrom: Number(validFrom),
    credits: BigInt(credits),
    per: BigInt(per),
  }));
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
    const { rows } = await transaction.query<[number]>({
      name: "count-rates",
      text: COUNT,
      rowMode: "array",
    });
    if (rows[0]?.[0] !== known) {
      const rates = await listRates(transaction);
      card = toRateCard(rates);
      known = rates.length;
    }
    return card;
  };
}

export type SetRateOutcome =
  | { readonly kind: "set" }
  | { readonly kind: "stands_already" }
  | { readonly kind: "too_early"; readonly earliest: Instant };

const INSERT = `
  INSERT INTO rate (meter, valid_from, credits, per)
  SELECT $1, to_timestamp($2 / 1000.0), $3, $4
  WHERE NOT EXISTS (SELECT FROM rate WHERE meter = $1 AND $2 < $5)
  ON CONFLICT DO NOTHING`;

/**
 * Sets a meter's price from an instant on. A meter's first price may begin at any time; a later one
 * not before `now + leadMs`, where leadMs is how far ahead of the clock an event may be metered: so
 * no event is ever priced at a rate that another one later takes the place of.
 */
export async function setRate(
  database: Database,
  rate: Rate,
  now: Instant,
  leadMs: number,
): Promise<SetRateOutcome> {
  const earliest = now + leadMs;
  const { rowCount } = await database.query(INSERT, [
    rate.meter,
    rate.validFrom,
    rate.credits,
    rate.per,
    earliest,
  ]);
  if (rowCount === 1) return { kind: "set" };
  const standing = (await listRates(database)).find(
    (other) => other.meter === rate.meter && other.validFrom === rate.validFrom,
  );
  return standing?.credits === rate.credits && standing.per === rate.per
    ? { kind: "stands_already" }
    : { kind: "too_early", earliest };
}

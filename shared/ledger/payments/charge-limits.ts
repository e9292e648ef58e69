import type { Ceilings } from "../../core/payments/charge-limits.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Queryable } from "../postgres/database.ts";

const RECORD = `
  WITH removed AS (DELETE FROM charge_limit WHERE currency <> ALL ($1::text[]))
  INSERT INTO charge_limit (currency, minimum, most_amount, most_per_day, most_per_month)
  SELECT currency, minimum, amount, per_day, per_month
  FROM unnest($1::text[], $2::bigint[]) AS charged (currency, minimum)
  LEFT JOIN unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS ceiling (currency, amount, per_day, per_month) USING (currency)
  ON CONFLICT (currency) DO UPDATE
  SET minimum = excluded.minimum,
      most_amount = excluded.most_amount,
      most_per_day = excluded.most_per_day,
      most_per_month = excluded.most_per_month`;

/**
 * Replaces the recorded limits of charges, by currency, in minor units: the gateway's minimum, and the
 * seller's default ceilings.
 */
export async function recordChargeLimits(
  database: Queryable,
  minimumCharges: ReadonlyMap<string, bigint>,
  ceilings: ReadonlyMap<string, Ceilings>,
): Promise<void> {
  const currencies = [...new Set([...minimumCharges.keys(), ...ceilings.keys()])];
  const most = [...ceilings.values()];
  await database.query(RECORD, [
    textArray(currencies),
    bigintArray(currencies.map((currency) => minimumCharges.get(currency) ?? 1n)),
    textArray([...ceilings.keys()]),
    bigintArray(most.map(({ amount }) => amount)),
    bigintArray(most.map(({ perDay }) => perDay)),
    bigintArray(most.map(({ perMonth }) => perMonth)),
  ]);
}

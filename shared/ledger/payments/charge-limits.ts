import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Queryable } from "../postgres/database.ts";

const RECORD = `
  WITH removed AS (DELETE FROM charge_limit WHERE currency <> ALL ($1::text[]))
  INSERT INTO charge_limit (currency, minimum)
  SELECT * FROM unnest($1::text[], $2::bigint[])
  ON CONFLICT (currency) DO UPDATE SET minimum = excluded.minimum`;

/** Replaces the recorded minimum charges, by currency, in minor units. */
export async function recordMinimumCharges(
  database: Queryable,
  minimumCharges: ReadonlyMap<string, bigint>,
): Promise<void> {
  const currencies = textArray([...minimumCharges.keys()]);
  await database.query(RECORD, [currencies, bigintArray([...minimumCharges.values()])]);
}

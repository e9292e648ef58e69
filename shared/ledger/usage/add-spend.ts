import type { Spend } from "../../core/usage/spend.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";

// Dividing a bigint by 1000.0 would be a division of decimals.
const ADD = `
  INSERT INTO spend_hour AS spend (account_id, hour, meter, events, quantity, credits)
  SELECT account_id, to_timestamp(hour / 1000), meter, events, quantity, credits
  FROM unnest($1::text[], $2::float8[], $3::text[], $4::bigint[], $5::numeric[], $6::bigint[])
    AS spent (account_id, hour, meter, events, quantity, credits)
  ON CONFLICT (account_id, hour, meter) DO UPDATE
  SET events = spend.events + excluded.events,
      quantity = spend.quantity + excluded.quantity,
      credits = spend.credits + excluded.credits`;

/**
 * Adds usage that is not on the accounts to the sums per account, meter and hour, in key order so that writers do not
 * deadlock.
 */
export async function addSpend(transaction: Transaction, spends: readonly Spend[]): Promise<void> {
  if (spends.length === 0) return;
  const sorted = [...spends].sort(byKey);
  await transaction.query({
    name: "add-spend",
    text: ADD,
    values: [
      textArray(sorted.map((spend) => spend.accountId)),
      bigintArray(sorted.map((spend) => spend.hour)),
      textArray(sorted.map((spend) => spend.meter)),
      bigintArray(sorted.map((spend) => spend.events)),
      bigintArray(sorted.map((spend) => spend.quantity)),
      bigintArray(sorted.map((spend) => spend.credits)),
    ],
  });
}

function byKey(a: Spend, b: Spend): number {
  if (a.accountId !== b.accountId) return a.accountId < b.accountId ? -1 : 1;
  if (a.hour !== b.hour) return a.hour - b.hour;
  return a.meter < b.meter ? -1 : Number(a.meter > b.meter);
}

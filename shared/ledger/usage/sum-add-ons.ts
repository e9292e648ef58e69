import type { AccountId, Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { type SummedRange, stepsOf } from "../../core/usage/usage-steps.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import type { UsageTotal } from "./sum-usage.ts";

const CHARGES = `
  SELECT reference, -credits AS credits, due_at AS "dueAt"
  FROM entry
  WHERE account_id = $1
    AND kind = 'add_on_charge'
    AND due_at >= to_timestamp($2::bigint / 1000.0)
    AND due_at < to_timestamp($3::bigint / 1000.0)
  ORDER BY due_at, sequence`;

interface Charge {
  readonly reference: string;
  readonly credits: bigint;
  readonly dueAt: Instant;
}

/**
 * What an account's add-ons cost in a range and its steps, by the instants at which the charges fell due:
 * `key` is the add-on, `events` the number of charges, `quantity` their units.
 */
export async function sumAddOns(
  transaction: Transaction,
  accountId: AccountId,
  range: SummedRange,
): Promise<UsageTotal[]> {
  const steps = stepsOf(range);
  const charges = await queryRows<Charge>(transaction, CHARGES, [accountId, range.from, range.to]);
  const totals = new Map<string, UsageTotal>();
  for (const { reference, credits, dueAt } of charges) {
    const charge = REFERENCE.addOnCharge.read(reference);
    if (charge === null) continue;
    const at = steps.findLast((start) => start <= dueAt) ?? range.from;
    const id = `${at} ${charge.addOnId}`;
    const before = totals.get(id);
    totals.set(id, {
      ...{ at, key: charge.addOnId },
      credits: credits + (before?.credits ?? 0n),
      events: 1n + (before?.events ?? 0n),
      quantity: BigInt(charge.units - charge.owed) + (before?.quantity ?? 0n),
    });
  }
  return [...totals.values()];
}

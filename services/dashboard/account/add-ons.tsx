import type { AddOnData } from "../../../shared/contract/subscription.ts";
import { countText, exactCredits } from "../text/credit-text.ts";
import { addOnName } from "../text/display-names.ts";

/** The account's add-ons and their monthly total. */
export function AddOns({ addOns }: { addOns: readonly AddOnData[] }) {
  const costs = addOns.map(costOf);
  const total = costs.reduce<bigint>((sum, cost) => sum + (cost ?? 0n), 0n);
  return (
    <div>
      <dt>Add-ons</dt>
      <dd>
        {addOns.length === 0 ? (
          "none"
        ) : (
          <>
            <b>{exactCredits(total)}</b> credits a month
          </>
        )}
        {addOns.map((addOn, i) => (
          <span class="note" key={addOn.add_on_id}>
            {addOnText(addOn)}
            {costs[i] !== null && `, ${exactCredits(costs[i] ?? 0n)}`}
          </span>
        ))}
      </dd>
    </div>
  );
}

/** The monthly cost of all units; null if the catalogue no longer has a price. */
function costOf({ quantity, credits_per_month }: AddOnData): bigint | null {
  return credits_per_month === null ? null : BigInt(credits_per_month) * BigInt(quantity);
}

/** "concurrency limit × 20, then × 10" */
function addOnText({ add_on_id, quantity, next_quantity }: AddOnData): string {
  const units = quantity === 1 ? "" : ` × ${countText(BigInt(quantity))}`;
  const then =
    next_quantity === 0 ? ", ends with this month" : `, then × ${countText(BigInt(next_quantity))}`;
  return addOnName(add_on_id) + units + (next_quantity === quantity ? "" : then);
}

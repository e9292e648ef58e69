import type { Instant } from "../line/account.ts";
import { least } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import type { AutoTopUp } from "./auto-top-up.ts";
import type { OwnCeilings } from "./ceilings.ts";
import { type ChargeCurrency, refuseAmount } from "./charge-limits.ts";

export type CeilingsDecision =
  | { readonly kind: "set"; readonly auto: AutoTopUp }
  | Refusal<"below_minimum" | "above_maximum">;

/**
 * Sets the given ceilings of an account. They cut what the customer has set from the next top-up on. An
 * auto top-up that waits for a limit is checked again now; one that waits for a declined card is not.
 */
export function decideCeilings(
  given: Partial<OwnCeilings>,
  before: AutoTopUp,
  { now, ...charged }: ChargeCurrency & { readonly now: Instant },
): CeilingsDecision {
  const { amount = null, perDay = null, perMonth = null } = given;
  const refused = amount === null ? null : refuseAmount(amount, charged);
  if (refused !== null) return refused;
  const { minimumCharge, currency } = charged;
  if (least(perDay ?? minimumCharge, perMonth ?? minimumCharge) < minimumCharge) {
    return { kind: "below_minimum", least: minimumCharge, currency };
  }
  const auto = { ...before, ceilings: { ...before.ceilings, ...given } };
  const isLimited = before.enabled && before.stopped === null && before.declines === 0;
  return { kind: "set", auto: isLimited ? { ...auto, pausedUntil: null, lookAt: now } : auto };
}

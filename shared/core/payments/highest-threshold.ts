import type { MicroCredits } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import type { CreditPrice } from "../offer/catalogue.ts";
import type { Ceilings } from "./charge-limits.ts";
import { creditsFor } from "./size-top-up.ts";

/**
 * Why a customer cannot set a threshold, in micro-credits; null: it can be set. One top-up, as large as
 * the ceilings allow, must lift an empty account above it; lowering a higher one is always allowed.
 */
export function refuseThreshold(
  threshold: MicroCredits,
  before: MicroCredits,
  { amount }: Ceilings,
  price: CreditPrice | null,
): Refusal<"threshold_too_high"> | null {
  if (price === null || threshold <= before) return null;
  const most = creditsFor(amount, price) - 1n;
  if (threshold <= most) return null;
  return { kind: "threshold_too_high", most, amount, currency: price.currency };
}

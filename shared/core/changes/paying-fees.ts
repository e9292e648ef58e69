import { REFERENCE } from "../line/reference.ts";
import type { Refusal } from "../line/refusal.ts";
import type { UnpaidFee } from "../month/fee.ts";
import type { Schedule, Subscription } from "../month/subscription.ts";
import type { BillingInterval } from "../offer/billing-periods.ts";
import { priceAt } from "../offer/catalogue.ts";
import type { ChangeContext, Changed } from "./subscription-change.ts";

/** How an account pays its fees: through the gateway, or by an invoice that the seller sends. */
export type WayToPay = "payment_method" | "invoiced_elsewhere";

/** What a change that may cost money is decided on. */
export interface PayingContext extends ChangeContext {
  /** Null: none; a plan with a price is refused. */
  readonly wayToPay: WayToPay | null;
  /** Oldest first; also those of ended subscriptions. */
  readonly unpaidFees: readonly UnpaidFee[];
}

/** Decides one change of an account. */
export type Change = (context: PayingContext) => Changed | Refusal;

/** Why the account cannot pay a plan; null: it can, or the plan costs nothing. */
export function cannotPay(
  planId: string,
  interval: BillingInterval,
  { catalogue, currency, now, wayToPay }: PayingContext,
): Refusal<"no_way_to_pay"> | null {
  const price = priceAt(catalogue, planId, currency, interval, now) ?? 0n;
  if (price === 0n || wayToPay !== null) return null;
  return { kind: "no_way_to_pay", planId, price, currency, interval };
}

/** True if a fee's credits wait for its payment, as its plan says. An invoice is not waited for. */
export function waitsForPayment(
  { firstCredits }: { readonly firstCredits: "when_paid" | "immediately" },
  fees: readonly unknown[],
  { wayToPay }: PayingContext,
): boolean {
  return fees.length > 0 && firstCredits === "when_paid" && wayToPay !== "invoiced_elsewhere";
}

/**
 * The fees that are owed: those that may still be charged, and those that failed. What an ended
 * subscription's failed fee would have brought never came, so such a fee is not owed.
 */
export function owedFees<F extends UnpaidFee>(
  fees: readonly F[],
  { subscription }: Pick<Schedule, "subscription">,
): readonly F[] {
  return fees.filter(
    ({ status, brings, number }) =>
      status !== "failed" || brings === null || subscription?.number === number,
  );
}

/** The refusal of what an unpaid fee does not allow. */
export function unpaid({ paymentId, planId, amount, currency }: UnpaidFee): Refusal<"fee_unpaid"> {
  return { kind: "fee_unpaid", paymentId, planId, amount, currency };
}

/** The fee that a subscription waits for with its first credits; null: it does not wait. */
export function firstFeeOf(
  { number, withheld }: Pick<Subscription, "number" | "withheld">,
  fees: readonly UnpaidFee[],
): UnpaidFee | null {
  if (withheld === null) return null;
  const first = REFERENCE.monthLot.write({ number, period: 0 });
  return fees.find(({ brings }) => brings?.lotId === first) ?? null;
}

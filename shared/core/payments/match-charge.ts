import type { Payment } from "./payment.ts";

/** How a charge differs from its payment in the books. */
export type ChargeProblem = "no_payment" | "not_paid" | "paid_by_another" | "other_amount";

/** A charge at the gateway; the amount in the currency's minor unit. */
interface Charge extends Pick<Payment, "amount" | "currency"> {
  readonly gatewayPayment: string;
}

/** The payment that a charge names, and the gateway payment that paid it. */
interface Charged extends Pick<Payment, "status" | "amount" | "currency"> {
  readonly gatewayPayment: string | null;
  /** Calls of the gateway for its attempt. */
  readonly calls: number;
}

/**
 * How a charge differs from its payment; null: it does not. A payment is in the books before it is
 * charged, and the gateway is queried about a pending one until its outcome is posted. So a charge of one
 * that was never sent there means that the books have gone back in time.
 */
export function problemOf(charge: Charge, payment: Charged | null): ChargeProblem | null {
  if (payment === null) return "no_payment";
  const { status, gatewayPayment } = payment;
  if (status !== "pending" && status !== "succeeded") return "not_paid";
  const isUnnamed = status === "pending" && gatewayPayment === null;
  if (!isUnnamed && gatewayPayment !== charge.gatewayPayment) return "paid_by_another";
  const isSame = payment.amount === charge.amount && payment.currency === charge.currency;
  if (!isSame) return "other_amount";
  return isUnnamed && payment.calls === 0 ? "not_paid" : null;
}

import type { Payment } from "./payment.ts";

/** Why a charge is not what its payment in the books says. */
export type ChargeProblem = "no_payment" | "not_paid" | "paid_by_another" | "other_amount";

/** A charge at the gateway; the amount in the currency's minor unit. */
interface Charge extends Pick<Payment, "amount" | "currency"> {
  readonly gatewayPayment: string;
}

/** The payment that a charge names, and by which gateway payment it was paid. */
interface Charged extends Pick<Payment, "status" | "amount" | "currency"> {
  readonly gatewayPayment: string | null;
}

/**
 * What is wrong with a charge; null: nothing. A payment is in the books before it is charged, and one
 * that is pending is asked about until the gateway's answer is posted.
 */
export function problemOf(charge: Charge, payment: Charged | null): ChargeProblem | null {
  if (payment === null) return "no_payment";
  const { status, gatewayPayment } = payment;
  if (status !== "pending" && status !== "succeeded") return "not_paid";
  const isUnnamed = status === "pending" && gatewayPayment === null;
  if (!isUnnamed && gatewayPayment !== charge.gatewayPayment) return "paid_by_another";
  const isSame = payment.amount === charge.amount && payment.currency === charge.currency;
  return isSame ? null : "other_amount";
}

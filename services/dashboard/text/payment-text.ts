import type { PaymentData, PaymentOfAccountData } from "../../../shared/contract/payment.ts";
import { exactCredits, moneyText } from "./credit-text.ts";
import { moneyIn } from "./locale.ts";

export function paidForText({ kind, automatic }: Pick<PaymentData, "kind" | "automatic">): string {
  if (kind === "fee") return "Plan";
  return automatic ? "Automatic top-up" : "Top-up";
}

type Brought = Pick<PaymentOfAccountData, "status" | "credits" | "currency" | "refunded">;

/** The result of a payment: "added 500 credits", "nothing charged", "paid, USD 4.00 refunded". */
export function broughtText({ refunded, currency, ...payment }: Brought): string {
  const back = BigInt(refunded);
  const brought = gotText(payment);
  return back === 0n ? brought : `${brought}, ${moneyText(back, currency)} refunded`;
}

function gotText({ status, credits }: Pick<Brought, "status" | "credits">): string {
  if (status === "failed") return "nothing charged";
  if (status === "retrying") return "will be tried again";
  if (status === "invoiced") return "invoiced";
  if (credits === null) return status === "succeeded" ? "paid" : "on its way";
  return `${status === "succeeded" ? "added" : "will add"} ${exactCredits(BigInt(credits))} credits`;
}

/** A reference; the money in it ("10.00 USD") is written as the viewer writes it. */
export function referenceText(reference: string): string {
  const [, amount, currency] = /^(\d+(?:\.\d+)?) ([A-Z]{3})$/.exec(reference) ?? [];
  return amount === undefined || currency === undefined ? reference : moneyIn(currency, amount);
}

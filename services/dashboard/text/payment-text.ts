import type { PaymentData } from "../../../shared/contract/payment.ts";
import { exactCredits } from "./credit-text.ts";
import { moneyIn } from "./locale.ts";

export function paidForText({ kind, automatic }: Pick<PaymentData, "kind" | "automatic">): string {
  if (kind === "fee") return "Plan";
  return automatic ? "Automatic top-up" : "Top-up";
}

/** The result of a payment: "added 500 credits", "nothing charged". */
export function broughtText({ status, credits }: Pick<PaymentData, "status" | "credits">): string {
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

import { z } from "zod";
import { isAutomatic, type Payment } from "../core/payments/payment.ts";
import { noun } from "./noun.ts";
import { credits, instant, money } from "./wire.ts";

/** Money for credits, or for months of a plan. */
export const payment = noun({
  payment_id: z.string(),
  kind: z.enum(["top_up", "fee"]),
  status: z.enum(["pending", "retrying", "succeeded", "failed"]),
  amount: money,
  currency: z.string(),
  credits: credits.nullable().meta({ description: "What a top-up adds; null of a fee." }),
  automatic: z.boolean(),
  reason: z.string().meta({ description: "In words a customer can read." }),
  created_at: instant,
});

export function toPayment(made: Payment) {
  return made.kind === "fee"
    ? { ...made, credits: null, automatic: true }
    : { ...made, automatic: isAutomatic(made) };
}

export type PaymentData = z.input<typeof payment>;

import { z } from "zod";
import type { Fee } from "../core/month/fee.ts";
import { noun } from "./noun.ts";
import { credits, instant, money } from "./wire.ts";

const fields = {
  payment_id: z.string(),
  subscription_number: z.number().int(),
  plan_id: z.string(),
  period: z.number().int(),
  periods: z.number().int(),
  amount: money,
  currency: z.string(),
  due_at: instant,
  credits: credits
    .nullable()
    .meta({ description: "What comes once it is paid; null: nothing waits for it." }),
};

/** The price of a plan for one or more months. */
export const fee = noun(fields);

/** An unpaid fee. */
export const openFee = noun({
  ...fields,
  status: z.enum(["pending", "retrying", "failed"]),
  attempt: z.number().int(),
  reason: z.string().meta({ description: "In words a customer can read." }),
  next_try_at: instant.nullable().meta({ description: "null: with another payment method." }),
}).meta({ title: "Open fee" });

export function toFee<Due extends Fee>(due: Due) {
  return { ...due, subscriptionNumber: due.number, credits: due.brings?.credits ?? null };
}

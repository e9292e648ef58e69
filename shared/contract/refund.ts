import { z } from "zod";
import { noun } from "./noun.ts";
import { credits, instant, money } from "./wire.ts";

/** A refund or chargeback of a payment. */
export const refundFields = {
  refund_id: z.string(),
  payment_id: z.string(),
  kind: z.enum(["refund", "chargeback"]),
  status: z.enum(["pending", "posted", "refused"]),
  amount: money,
  credits_withdrawn: credits,
  credits_owed: credits,
  reason: z.string(),
  asked_by: z.string(),
  created_at: instant,
  posted_at: instant.nullable(),
};

export const refund = noun(refundFields).meta({ title: "Refund" });

export function toRefund<Stored extends { readonly withdrawn: bigint; readonly owed: bigint }>(
  stored: Stored,
) {
  return { ...stored, creditsWithdrawn: stored.withdrawn, creditsOwed: stored.owed };
}

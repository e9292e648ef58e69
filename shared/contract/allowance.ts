import { z } from "zod";
import { noun } from "./noun.ts";
import { shortage } from "./shortage.ts";
import { accountId, credits, overdraft, totalCredits } from "./wire.ts";

/** Whether an account can afford something of about this cost. */
export const allowance = noun({
  account_id: accountId,
  allowed: z.boolean(),
  reason: z.enum(["enough", "within_overdraft", "will_be_topped_up", "not_enough"]),
  detail: z.string(),
  cost: totalCredits,
  balance: credits.meta({ description: "Micro-credits left to use, as in the balance." }),
  held: credits.meta({ description: "What open holds set aside." }),
  available: credits.meta({
    description: "balance - held, which has to cover the cost, with the overdraft if there is one.",
  }),
  overdraft: overdraft.nullable(),
  shortage: shortage.nullable().meta({
    description: "Why there is too little, and when that may change; null: it is allowed.",
  }),
}).meta({ title: "Allowance" });

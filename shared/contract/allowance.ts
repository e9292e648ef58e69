import { z } from "zod";
import { budgetLimit } from "./budget.ts";
import { noun } from "./noun.ts";
import { shortage } from "./shortage.ts";
import { accountId, credits, overdraft, totalCredits } from "./wire.ts";

/** Whether an account can afford something of about this cost. */
export const allowance = noun({
  account_id: accountId,
  allowed: z.boolean(),
  reason: z.enum([
    "enough",
    "within_overdraft",
    "will_be_topped_up",
    "not_enough",
    "budget_used_up",
  ]),
  detail: z.string(),
  cost: totalCredits,
  balance: credits.meta({ description: "Micro-credits left to use, as in the balance." }),
  held: credits.meta({ description: "What open holds set aside." }),
  available: totalCredits.meta({
    description: "balance - held, which has to cover the cost, with the overdraft if there is one.",
  }),
  overdraft: overdraft.nullable(),
  budget: budgetLimit.nullable().meta({
    description: "Of the usage's dimensions, the one with least left, which has to cover it, too.",
  }),
  shortage: shortage.nullable().meta({
    description: "Why there is too little, and when that may change; null: it is allowed.",
  }),
}).meta({ title: "Allowance" });

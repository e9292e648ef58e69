import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, credits, totalCredits } from "./wire.ts";

/** Whether an account can afford something of about this cost. */
export const allowance = noun({
  account_id: accountId,
  allowed: z.boolean(),
  reason: z.enum(["enough", "will_be_topped_up", "not_enough"]),
  detail: z.string(),
  cost: totalCredits,
  balance: credits.meta({ description: "Micro-credits left to use, as in the balance." }),
  held: credits.meta({ description: "What open holds set aside." }),
  available: credits.meta({ description: "balance - held, which has to cover the cost." }),
}).meta({ title: "Allowance" });

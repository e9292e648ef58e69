import { z } from "zod";
import { WHY_SHORT } from "../core/payments/shortage.ts";
import { noun } from "./noun.ts";
import { instant } from "./wire.ts";

/** Why an account has too few credits, and when that may change by itself. */
export const shortage = noun({
  why: z.enum(WHY_SHORT).meta({
    description:
      "no_credits; auto top-up is under way, paused (a declined card), at a limit of the day or month, or stopped until the customer acts.",
  }),
  top_up_at: instant
    .nullable()
    .meta({ description: "When auto top-up tries again; null: not by itself." }),
  next_credits_at: instant.nullable().meta({
    description: "The next turn of the month with credits; null: none comes.",
  }),
}).meta({ title: "Shortage" });

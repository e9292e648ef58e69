import { z } from "zod";
import { noun } from "./noun.ts";
import { valuesByName } from "./values-by-name.ts";
import { instant } from "./wire.ts";

/** An entry of a subscription's history: who changed what, and when. */
export const subscriptionChange = noun({
  sequence: z.number().int(),
  at: instant,
  by: z.string(),
  kind: z.string(),
  detail: valuesByName(z.string()),
}).meta({ title: "Subscription change" });

export const subscriptionChanges = noun({ items: z.array(subscriptionChange) }).meta({
  title: "Subscription changes",
});

import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, count, credits, instant, totalQuantity } from "./wire.ts";

export const bucket = noun({
  at: instant,
  key: z.string(),
  credits,
  events: count,
  quantity: totalQuantity.nullable(),
}).meta({ title: "Usage sum" });

/** What credits were spent on, summed up. */
export const usage = noun({
  account_id: accountId,
  from: instant,
  to: instant,
  time_zone: z.string(),
  total: credits.meta({ description: "Of all usage, without add-ons." }),
  buckets: z.array(bucket),
  add_ons_total: credits,
  add_ons: z.array(bucket).meta({
    description:
      "The add-ons' charges that fell due in the range, whatever the group: `key` is the add-on, `events` the number of charges, `quantity` their units.",
  }),
}).meta({ title: "Usage" });

export type UsageData = z.input<typeof usage>;

export type BucketData = z.input<typeof bucket>;

import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, count, credits, instant } from "./wire.ts";

const bucket = noun({
  at: instant,
  key: z.string(),
  credits,
  events: count,
  quantity: count.nullable(),
});

/** What credits were spent on, summed up. */
export const usage = noun({
  account_id: accountId,
  from: instant,
  to: instant,
  time_zone: z.string(),
  total: credits,
  buckets: z.array(bucket),
});

export type UsageData = z.input<typeof usage>;

export type BucketData = z.input<typeof bucket>;

import { z } from "zod";
import { noun } from "./noun.ts";
import { count, instant } from "./wire.ts";

/** An event that could not be metered. */
export const deadLetter = noun({
  topic: z.string(),
  partition: z.number().int(),
  offset: count,
  account_id: z.string().nullable(),
  reason: z.string(),
  detail: z.string(),
  recorded_at: instant,
  state: z
    .enum(["open", "retrying", "retried", "dismissed"])
    .meta({ description: "open and retrying ones wait; retried ones were published again" }),
});

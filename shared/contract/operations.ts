import { z } from "zod";
import { noun } from "./noun.ts";
import { count, instant } from "./wire.ts";

const counted = z.number().int();

/** How metering, top-ups and the scheduler keep up. */
export const operations = noun({
  at: instant,
  events_per_second: z.number(),
  lag: count.meta({ description: "Messages that are not metered yet, at most." }),
  balance_delay_ms: noun({ p50: z.number().nullable(), p99: z.number().nullable() }).meta({
    title: "Balance delay",
  }),
  dead_letters: z.array(
    noun({ reason: z.string(), count: counted }).meta({ title: "Dead letter count" }),
  ),
  top_ups: z.array(noun({ status: z.string(), count: counted }).meta({ title: "Top-up count" })),
  scheduler: noun({ due: counted, oldest_due_at: instant.nullable() }).meta({
    title: "Scheduler backlog",
  }),
  outbox: counted.meta({ description: "Records that wait to be published; counted to 10,000." }),
  streams: counted,
  webhooks: z.array(
    noun({
      endpoint_id: z.string(),
      host: z.string(),
      queues: counted.meta({
        description: "Accounts, each with its types, of which events wait; counted to 10,000.",
      }),
      failing_since: instant.nullable(),
      paused_at: instant.nullable(),
      paused_by: z.string().nullable().meta({
        description: "null where it is paused: it has failed for too long.",
      }),
      problem: z.string().nullable(),
    }).meta({ title: "Webhook backlog" }),
  ),
  reconciliation: noun({ at: instant, messages: count, verified: count, differences: count })
    .meta({ title: "Reconciliation" })
    .nullable()
    .meta({ description: "What the scheduler has last proved of usage." }),
}).meta({ title: "Operations" });

export type OperationsData = z.input<typeof operations>;

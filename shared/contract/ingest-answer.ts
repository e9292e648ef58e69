import { z } from "zod";
import { noun } from "./noun.ts";

export const rejectedEvents = z.array(
  noun({
    index: z.int().min(0).describe("The event's place in the batch, from 0."),
    id: z.string().nullable(),
    reason: z.string(),
    field: z.string().describe("Such as data.quantity; empty where the event is no object."),
    detail: z.string(),
  }).meta({ title: "Rejected event" }),
);

/** What has become of events that were sent. */
export const ingestAnswer = noun({
  accepted: z.int().min(0).describe("Kafka has acknowledged all that these events come to."),
  untimed: z
    .int()
    .min(0)
    .describe("Of these, how many state no time: they occurred now, and sent again they conflict."),
  rejected: rejectedEvents.describe("These are not taken as they are: change them, or let go."),
}).meta({ title: "Ingest result" });

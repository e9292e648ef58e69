import { z } from "zod";
import { rejectedEvents } from "./ingest-answer.ts";

const fields = {
  type: z.string().meta({ example: "urn:drawdown:unknown_account" }),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  field: z.string().optional(),
};

/** The document that a refusal is answered with. */
export const problem = z.object(fields).meta({
  description: "RFC 9457 problem details; `type` ends in a code that stays the same.",
});

export const ingestProblem = z
  .object({ ...fields, rejected: rejectedEvents.optional() })
  .meta({ description: "No JSON, or none of the events can be taken: `rejected` names each." });

import { z } from "zod";
import { budgetLeft } from "./budget.ts";
import { rejectedEvents } from "./ingest-answer.ts";
import { noun } from "./noun.ts";
import { shortage } from "./shortage.ts";
import { credits, totalCredits } from "./wire.ts";

const fields = {
  type: z.string().meta({ example: "urn:drawdown:unknown_account" }),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  field: z.string().optional(),
};

/** The document that a refusal is answered with. */
export const problem = z.object(fields).meta({
  title: "Problem",
  description: "RFC 9457 problem details; `type` ends in a code that stays the same.",
});

/** What is wrong in a catalogue file; `field` is empty for the file as a whole. */
export const fileProblem = noun({
  line: z.number().int(),
  field: z.string(),
  problem: z.string(),
}).meta({ title: "File problem" });

export const catalogueProblem = z
  .object({ ...fields, problems: z.array(fileProblem).optional() })
  .meta({
    title: "Catalogue problem",
    description: "`problems` lists what is wrong in the file, by line and field.",
  });

export const ingestProblem = z.object({ ...fields, rejected: rejectedEvents.optional() }).meta({
  title: "Ingest problem",
  description: "No JSON, or none of the events can be taken: `rejected` names each.",
});

export const holdProblem = z
  .object({
    ...fields,
    asked: credits.optional(),
    available: totalCredits.optional(),
    shortage: shortage.nullable().optional(),
    budget: budgetLeft.optional(),
  })
  .meta({
    title: "Hold problem",
    description:
      "What was asked for, and why there is too little: of the account (`insufficient_credits`) or of a budget (`budget_used_up`).",
  });

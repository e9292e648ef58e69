import { z } from "zod";
import type { Usage } from "../../../shared/client/usage-client.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { parseInstant } from "../../../shared/core/text/instant-text.ts";

const WHOLE = "must be a whole number from 0 on; beyond 2^53 write it as a string";
const INSTANT = "must be an instant like 2026-09-01T00:00:00Z, or milliseconds";

const quantity = z.union([z.number(), z.string()], problem(WHOLE)).transform((given, context) => {
  const whole = toWhole(given);
  if (whole !== null && whole <= MAX_BIGINT) return whole;
  context.addIssue(WHOLE);
  return z.NEVER;
});

const occurredAt = z
  .union([z.number(), z.string()], problem(INSTANT))
  .transform((given, context) => {
    const instant = typeof given === "number" ? given : parseInstant(given);
    if (instant !== null && Number.isSafeInteger(instant)) return new Date(instant);
    context.addIssue(INSTANT);
    return z.NEVER;
  });

const text = z.string(problem("must be text"));

/** Strict: a misspelt field would else be left out without a word. */
const usageLine = z.strictObject(
  {
    account_id: text,
    meter: text,
    quantity,
    event_id: text.optional(),
    occurred_at: occurredAt.optional(),
    source: text.optional(),
    dimensions: z
      .record(z.string(), text, problem("must be an object of names and texts"))
      .optional(),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `there is no field ${issue.keys.join(", ")}`
        : "not a JSON object",
  },
);

/** A usage event as a line of JSON, or in a few words what is wrong with it. */
export function parseUsageLine(text: string): Usage | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  const parsed = usageLine.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue === undefined) return "not a usage event";
    const field = issue.path.join(".");
    return field === "" ? issue.message : `${field} ${issue.message}`;
  }
  const { account_id, event_id, occurred_at, source, dimensions, ...rest } = parsed.data;
  return {
    ...rest,
    accountId: account_id,
    ...(event_id === undefined ? {} : { eventId: event_id }),
    ...(occurred_at === undefined ? {} : { occurredAt: occurred_at }),
    ...(source === undefined ? {} : { source }),
    ...(dimensions === undefined ? {} : { dimensions }),
  };
}

function toWhole(given: number | string): bigint | null {
  if (typeof given === "string") return /^\d{1,19}$/.test(given) ? BigInt(given) : null;
  return Number.isSafeInteger(given) && given >= 0 ? BigInt(given) : null;
}

function problem(wrong: string) {
  return {
    error: ({ input }: { readonly input?: unknown }) =>
      input === undefined ? "is missing" : wrong,
  };
}

import { z } from "zod";
import type { Usage } from "../../../shared/client/usage.ts";
import { valuesByName } from "../../../shared/contract/values-by-name.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { parseInstant } from "../../../shared/core/text/instant-text.ts";

const WHOLE = "must be a whole number of at least 0; write it as a string if it is above 2^53";
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
    const date = new Date(instant ?? Number.NaN);
    if (date.getTime() === instant) return date;
    context.addIssue(INSTANT);
    return z.NEVER;
  });

const text = z.string(problem("must be a string"));

/** Strict: a misspelt field is an error, not ignored. */
const usageLine = z.strictObject(
  {
    account_id: text,
    meter: text,
    quantity,
    event_id: text.optional(),
    occurred_at: occurredAt.optional(),
    source: text.optional(),
    dimensions: valuesByName(text, problem("must be an object of names and strings")).optional(),
    quantities: valuesByName(
      quantity,
      problem("must be an object of meters and quantities"),
    ).optional(),
    hold_id: text.optional(),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `there is no field ${issue.keys.join(", ")}`
        : "not a JSON object",
  },
);

/** Parses a line of JSON; returns the usage event, or what is wrong with the line. */
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
  const { account_id, event_id, occurred_at, source, dimensions, quantities, hold_id, ...rest } =
    parsed.data;
  return {
    ...rest,
    accountId: account_id,
    ...(event_id === undefined ? {} : { eventId: event_id }),
    ...(occurred_at === undefined ? {} : { occurredAt: occurred_at }),
    ...(source === undefined ? {} : { source }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(quantities === undefined ? {} : { quantities }),
    ...(hold_id === undefined ? {} : { holdId: hold_id }),
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

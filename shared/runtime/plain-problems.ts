import { z } from "zod";

/** Lets zod say in plain words what is wrong with a setting or a request, where a schema has none of its own. */
export function sayProblemsPlainly(): void {
  z.config({ customError: problemText });
}

function problemText(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return typeText(issue.expected, issue.input);
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.join(", ")}`;
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return "is empty";
      return boundText(issue, issue.inclusive === false ? "more than" : "at least", issue.minimum);
    case "too_big":
      return boundText(issue, issue.inclusive === false ? "less than" : "at most", issue.maximum);
    case "invalid_format":
      if (issue.format === "url") return "must be a URL such as https://example.com:8081";
      return issue.format === "regex" ? `must match ${issue.pattern}` : undefined;
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function typeText(expected: string, input: unknown): string {
  if (input === undefined) return "is missing";
  const wanted = TYPES[expected] ?? expected;
  const given = nameOf(input);
  // A number that is not whole is a number all the same.
  const saysNothing =
    given === null || given === wanted || (expected === "int" && typeof input === "number");
  return saysNothing ? `must be ${wanted}` : `must be ${wanted}, not ${given}`;
}

/** Null: not a number. */
function nameOf(input: unknown): string | null {
  if (input === null) return "null";
  if (Number.isNaN(input)) return null;
  return TYPES[Array.isArray(input) ? "array" : typeof input] ?? typeof input;
}

function boundText({ origin }: { readonly origin: string }, word: string, bound: unknown): string {
  if (origin === "string") return `must have ${word} ${bound} characters`;
  return `must ${origin === "array" ? "have" : "be"} ${word} ${bound}`;
}

import { z } from "zod";
import { nearestName } from "./nearest-name.ts";

/** An object with known fields; the error for any other suggests the nearest. */
export function fields<S extends z.ZodRawShape>(shape: S): z.ZodType<z.output<z.ZodObject<S>>> {
  const known = Object.keys(shape);
  const unknown = z.custom<unknown>(() => false, {
    error: ({ path }) => unknownField(String(path?.at(-1)), known),
  });
  return z.object(shape, missingOr(`must have the fields ${known.join(", ")}`)).catchall(unknown);
}

function unknownField(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null
    ? `there is no such field; there are ${known.join(", ")}`
    : `there is no such field; did you mean ${nearest}?`;
}

/** One or more values by name; the form of a value may depend on its name. */
export function named<T>(
  problemOf: (name: string) => string | null,
  form: (name: string) => z.ZodType<T>,
) {
  return z
    .record(z.string(), z.unknown(), missingOr("must have names and what each stands for"))
    .transform((given, context) => {
      const things = new Map<string, T>();
      for (const [name, value] of Object.entries(given)) {
        const problem = problemOf(name);
        if (problem !== null) {
          context.addIssue({ code: "custom", message: problem, path: [name] });
          continue;
        }
        const read = form(name).safeParse(value);
        if (read.success) things.set(name, read.data);
        for (const { message, path } of read.error?.issues ?? []) {
          context.addIssue({ code: "custom", message, path: [name, ...path] });
        }
      }
      if (Object.keys(given).length === 0) context.addIssue("names nothing; leave it out");
      return things;
    });
}

function missingOr(wrong: string) {
  return {
    error: ({ input }: { readonly input?: unknown }) =>
      input === undefined ? "is missing" : wrong,
  };
}

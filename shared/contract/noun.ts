import { z } from "zod";

/** `plan_id` is `planId`. */
export type Camel<Name> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type Frozen<T> = T extends readonly (infer Item)[] ? readonly Item[] : T;

/** Fields of the wire under the core's names. */
type InOurNames<Fields> = {
  readonly [Name in keyof Fields as Camel<Name & string>]: Frozen<Fields[Name]>;
};

/**
 * The one shape of a noun: fields in snake_case on the wire, the same fields in camelCase inside.
 * Encoding takes any value that has the noun's fields, a lot of the core say, and leaves out what the
 * noun does not name; decoding ignores fields that it does not know.
 */
export function noun<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const wire = z.object(shape);
  const names = Object.keys(shape).map((name) => [name, camelCase(name)] as const);
  const flipped = names.map(([name, ours]) => [ours, name] as const);
  return z.codec(wire, z.custom<InOurNames<z.output<typeof wire>>>(), {
    decode: (read) => renamed(read, names),
    encode: (value) => renamed(value, flipped),
  });
}

export function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * `T` is what the names' types say: the compiler does not follow a renaming at run time. What is
 * missing is left to the wire's shape to refuse, as the next form of a union may fit.
 */
function renamed<T>(
  from: Readonly<Record<string, unknown>> | undefined,
  names: readonly (readonly [from: string, to: string])[],
): T {
  if (from === undefined) return from as T;
  const to: Record<string, unknown> = {};
  for (const [before, after] of names) {
    if (from[before] !== undefined) to[after] = from[before];
  }
  return to as T;
}

import { z } from "zod";

/** `plan_id` is `planId`. */
export type Camel<Name> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type Frozen<T> = T extends readonly (infer Item)[] ? readonly Item[] : T;

/** The wire's fields under the core's names. */
type InOurNames<Fields> = {
  readonly [Name in keyof Fields as Camel<Name & string>]: Frozen<Fields[Name]>;
};

/**
 * The codec of a noun: snake_case fields on the wire, the same fields in camelCase in the code. It
 * encodes any value that has the noun's fields, such as a lot of the core, and leaves out the others.
 * It ignores unknown fields when it decodes.
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
 * `T` follows from the types of the names; the compiler cannot check a renaming at run time. Missing
 * fields are left to the wire's schema, because the next member of a union may match.
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

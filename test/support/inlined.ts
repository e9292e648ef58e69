import { z } from "zod";

const reference = z.object({ $ref: z.string().startsWith("#/components/schemas/") });
const named = z.object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) });

/** An OpenAPI document with the components in place of the references to them. */
export function inlined<D>(document: D): D {
  const { schemas } = named.parse(document).components;
  const inline = (_: string, value: unknown): unknown => {
    const { data } = reference.safeParse(value);
    if (data === undefined) return value;
    return JSON.parse(JSON.stringify(schemas[data.$ref.split("/").at(-1) ?? ""]), inline);
  };
  return JSON.parse(JSON.stringify(document), inline);
}

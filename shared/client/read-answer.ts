import { z } from "zod";
import { type Camel, camelCase } from "../contract/noun.ts";

/** The API's answer does not have the expected shape. */
export class UnreadableAnswer extends Error {}

/** A noun as the client returns it: names in camelCase, amounts as bigint, instants as Date. */
export type Answer<Schema> =
  Schema extends z.ZodCodec<z.ZodObject<infer Fields>, z.ZodType>
    ? { readonly [Name in keyof Fields as Camel<Name & string>]: Answer<Fields[Name]> }
    : Schema extends z.ZodNullable<infer Inside>
      ? Answer<Inside> | null
      : Schema extends z.ZodArray<infer Item>
        ? readonly Answer<Item>[]
        : Schema extends z.ZodEnum
          ? string
          : Schema extends z.ZodCodec<z.ZodString, z.ZodNumber>
            ? Date
            : z.output<Schema>;

/**
 * Reads an answer of the API by the noun's codec. It understands newer servers: unknown fields are left
 * out, and enums may have new values. Throws UnreadableAnswer, which names `place`.
 */
export function readAnswer<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): Answer<Schema> {
  return read(schema, value, place) as Answer<Schema>;
}

function read(schema: z.core.$ZodType, value: unknown, place: string): unknown {
  if (schema instanceof z.ZodNullable) {
    return value === null ? null : read(schema.unwrap(), value, place);
  }
  if (schema instanceof z.ZodArray) {
    const items = decoded(z.array(z.unknown()), value, place);
    return items.map((item, at) => read(schema.element, item, `${place}[${at}]`));
  }
  if (schema instanceof z.ZodEnum) return decoded(z.string(), value, place);
  if (schema instanceof z.ZodCodec) {
    if (schema.in instanceof z.ZodObject) return readFields(schema.in.shape, value, place);
    if (schema.out instanceof z.ZodNumber) return new Date(Number(decoded(schema, value, place)));
  }
  return decoded(schema, value, place);
}

function readFields(shape: z.core.$ZodShape, value: unknown, place: string) {
  const fields = decoded(z.record(z.string(), z.unknown()), value, place);
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [
      camelCase(name),
      read(schema, fields[name], `${place}.${name}`),
    ]),
  );
}

function decoded<Schema extends z.core.$ZodType>(schema: Schema, value: unknown, place: string) {
  const { data, error } = z.safeParse(schema, value);
  if (error === undefined) return data as z.output<Schema>;
  const [problem] = error.issues;
  throw new UnreadableAnswer(`the API's answer cannot be read at ${place}: ${problem?.message}`);
}

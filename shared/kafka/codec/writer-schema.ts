import avro from "avsc";
import { typeHook } from "./schemas.ts";

const MOST_CHARACTERS = 1 << 18;
const MOST_PARTS = 5_000;
const DEEPEST = 64;
/** Of parts that are read without a byte: records, nulls. A value takes at most so long for each byte. */
const MOST_EMPTY_PARTS = 100;

/**
 * The type to read what others wrote with a schema. Throws for what is not Avro, and for schemas that
 * would take much time or memory, or that avsc (5.7.9) misreads. `references` are the schemas whose types
 * it names, each after those that it names itself. What reading does not need is left out:
 * defaults above all, which can grow beyond measure when avsc expands them.
 */
export function writerType(text: string, references: readonly string[] = []): avro.Type {
  const size = references.reduce((sum, each) => sum + each.length, text.length);
  if (size > MOST_CHARACTERS) {
    throw new Error(`it has ${size} characters, more than ${MOST_CHARACTERS}`);
  }
  const simplifier = new Simplifier();
  const options = { typeHook, registry: {} };
  const typeOf = (each: string) =>
    avro.Type.forSchema(simplifier.simplify(JSON.parse(each), 1) as avro.Schema, options);
  for (const each of references) typeOf(each);
  const type = typeOf(text);
  new EmptyParts().of(type);
  return type;
}

/** What a type in a schema may state; the client's package carries this file, and no library to check it. */
interface Parts {
  readonly type?: unknown;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly logicalType?: unknown;
  readonly fields?: unknown;
  readonly symbols?: unknown;
  readonly items?: unknown;
  readonly values?: unknown;
  readonly size?: unknown;
}

function partsOf(schema: unknown): Parts {
  if (typeof schema !== "object" || schema === null) throw notType("it is not an object");
  const stated: Partial<Record<keyof Parts, unknown>> = schema;
  const name = stated.name === undefined ? undefined : textOf(stated.name);
  const namespace = stated.namespace === undefined ? undefined : textOf(stated.namespace);
  return { ...stated, name, namespace };
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw notType("a name in it is not text");
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw notType("it lacks a list");
}

function notType(why: string): Error {
  return new Error(`a part of it is no type: ${why}`);
}

/** Reduces a schema to what reading needs. */
class Simplifier {
  #parts = 0;

  simplify(schema: unknown, depth: number): unknown {
    this.#parts += 1;
    if (this.#parts > MOST_PARTS) throw new Error(`it has more than ${MOST_PARTS} parts`);
    if (depth > DEEPEST) throw new Error(`its types are nested more than ${DEEPEST} deep`);
    const inner = (part: unknown) => this.simplify(part, depth + 1);
    if (typeof schema === "string") return usableName(schema);
    if (Array.isArray(schema)) return schema.map(inner);
    const { type, name, namespace, logicalType, ...parts } = partsOf(schema);
    if (typeof type !== "string") return inner(type);
    const called = {
      type,
      ...(name === undefined ? {} : { name: usableName(name) }),
      ...(namespace === undefined ? {} : { namespace }),
    };
    switch (type) {
      case "record":
      case "error": {
        const fields = listOf(parts.fields).map(partsOf);
        return {
          ...called,
          fields: fields.map((field) => ({
            name: usableName(field.name ?? ""),
            type: inner(field.type),
          })),
        };
      }
      case "enum":
        return {
          ...called,
          symbols: listOf(parts.symbols).map((symbol) => usableName(textOf(symbol))),
        };
      case "fixed":
        return { ...called, size: parts.size };
      case "array":
        return { type, items: inner(parts.items) };
      case "map":
        return { type, values: inner(parts.values) };
      default:
        return logicalType === undefined ? inner(type) : { type, logicalType };
    }
  }
}

/**
 * avsc finds types, fields and symbols in plain objects: a field named `toString` would be neither read
 * nor skipped, and all after it would be misread.
 */
function usableName(name: string): string {
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (last in Object.prototype) throw new Error(`the name ${last} in it cannot be used`);
  return name;
}

/** Counts what is read of a type before the first byte. */
class EmptyParts {
  readonly #known = new Map<avro.Type, number>();

  /** Throws when a record within the type has too many. */
  of(type: avro.Type): number {
    if (type instanceof avro.types.RecordType) return this.#ofRecord(type);
    if (type instanceof avro.types.NullType) return 1;
    if (type instanceof avro.types.FixedType) return type.size === 0 ? 1 : 0;
    // These begin with a byte of their own.
    for (const inner of innerTypes(type)) this.of(inner);
    return 0;
  }

  #ofRecord(type: avro.types.RecordType): number {
    const known = this.#known.get(type);
    if (known !== undefined) return known;
    // Until it is known: a record that begins with itself never ends.
    this.#known.set(type, Number.POSITIVE_INFINITY);
    let parts = 1;
    for (const field of type.fields) parts += this.of(field.type);
    if (parts > MOST_EMPTY_PARTS) {
      throw new Error(
        `its record ${type.name} has more than ${MOST_EMPTY_PARTS} parts without bytes`,
      );
    }
    this.#known.set(type, parts);
    return parts;
  }
}

function innerTypes(type: avro.Type): readonly avro.Type[] {
  if (type instanceof avro.types.ArrayType) return [type.itemsType];
  if (type instanceof avro.types.MapType) return [type.valuesType];
  if (type instanceof avro.types.UnwrappedUnionType) return type.types;
  return type instanceof avro.types.WrappedUnionType ? type.types : [];
}

/** What JSON holds. Whole numbers that no `number` holds exactly are bigint. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** What follows a colon, a comma or a bracket may be a whole number that a `number` would change. */
const MANY_DIGITS = /[:,[]\s*-?\d{16}/;
const WHOLE = /^-?\d+$/;

/** Reads JSON, whole numbers of any size exactly. Throws a SyntaxError that says what is wrong. */
export function parseJson(text: string): Json {
  return MANY_DIGITS.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
}

function exact(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return source !== undefined && WHOLE.test(source) ? BigInt(source) : value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of the object's own; undefined when there is none, whatever its name. */
export function fieldOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What a value is, in words: "a number". */
export function kindOf(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
    case "bigint":
      return "a number";
    case "boolean":
      return "true or false";
    default:
      return "an object";
  }
}

/** A JSON value. Whole numbers beyond the safe integers are bigint. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** Text that may contain a whole number beyond the safe integers. */
const MANY_DIGITS = /[:,[]\s*-?\d{16}/;
const WHOLE = /^-?\d+$/;
/** Far beyond any quantity that fits. Converting digits takes more than linear time. */
const MOST_DIGITS = 40;

/** Parses JSON with whole numbers exact. Throws a SyntaxError, also for a number with too many digits. */
export function parseJson(text: string): Json {
  return MANY_DIGITS.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
}

function exact(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  if (source === undefined || !WHOLE.test(source)) return value;
  if (source.length <= MOST_DIGITS) return BigInt(source);
  throw new SyntaxError(`a number has ${source.length} digits; write at most ${MOST_DIGITS}`);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own field of the object, or undefined. */
export function fieldOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The type of a value for a message: "a number". */
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

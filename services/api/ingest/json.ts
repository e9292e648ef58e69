/** A JSON value. Whole numbers beyond the safe integers are bigint. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** Text that may contain a number that a double cannot keep. */
const MANY_DIGITS = /[:,[]\s*-?(?:[\d.]{16}|[\d.]+e)/i;
const WHOLE = /^-?\d+$/;
const DECIMAL = /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;
const TRAILING_ZEROS = /0*$/;
/** Far beyond any quantity that fits. Converting digits takes more than linear time. */
const MOST_DIGITS = 40;

/**
 * Parses JSON with whole numbers exact. Throws a SyntaxError, also for a number with too many digits, and
 * for a fraction that a double would round to a whole number.
 */
export function parseJson(text: string): Json {
  return MANY_DIGITS.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
}

function exact(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || source === undefined) return value;
  const isSafe = Number.isSafeInteger(value);
  if (!isSafe && !WHOLE.test(source)) return value;
  if (source.length > MOST_DIGITS) {
    throw new SyntaxError(`a number has ${source.length} digits; write at most ${MOST_DIGITS}`);
  }
  if (!isSafe) return BigInt(source);
  if (isWhole(source)) return value;
  throw new SyntaxError(`${source} would be rounded to ${value}`);
}

/** Whether a number as written is whole: `1.50e1` is, `0.5` is not. */
function isWhole(source: string): boolean {
  const [, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(source) ?? [];
  const digits = whole + fraction;
  const zeros = TRAILING_ZEROS.exec(digits)?.[0].length ?? 0;
  return zeros === digits.length || Number(exponent) - fraction.length + zeros >= 0;
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

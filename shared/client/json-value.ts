/**
 * The body of a request as JSON; amounts (bigint) are text. Throws TypeError for a Date or a number that is none:
 * JSON would say null, and a lot whose `expires_at` is null never ends.
 */
export function jsonText(body: object): string {
  return JSON.stringify(body, jsonValue);
}

/** `this` is what `value` is in; a Date in it is `value` as text already. */
function jsonValue(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  const given = this[name];
  if (given instanceof Date) return instantText(name, given);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${name} is ${value}, which is no number that JSON has`);
  }
  return typeof value === "bigint" ? String(value) : value;
}

/** An instant in ISO 8601. Throws TypeError, with its name, for a Date that is none. */
export function instantText(name: string, instant: Date | number): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) throw new TypeError(`${name} is not a date`);
  return at.toISOString();
}

/**
 * Postgres array literals for `unnest($1::text[], ...)`. Numbers and ids without special characters
 * (nearly all) need no quoting, which is what makes these faster than the driver's own.
 */
const NEEDS_QUOTES = /[^A-Za-z0-9_.:@/-]|^$|^null$/i;

export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(quoted).join(",")}}`;
}

export function bigintArray(values: readonly (bigint | number | boolean | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : String(value))).join(",")}}`;
}

function quoted(value: string | null): string {
  if (value === null) return "NULL";
  if (!NEEDS_QUOTES.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/**
 * Array literals for `unnest($1::text[], ...)`, faster than the driver's own: numbers and nearly all ids
 * are left unquoted.
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

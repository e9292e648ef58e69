/**
 * Array literals for `unnest($1::text[], ...)`, faster than the driver's own: numbers and nearly all ids
 * are left unquoted.
 */
const NEEDS_QUOTES = /[^A-Za-z0-9_.:@/-]|^$|^null$/i;

/** An array of text, as `$1::text[]` takes it. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(quoted).join(",")}}`;
}

/** An array of numbers or booleans, as `$1::bigint[]` and the like take it. */
export function bigintArray(values: readonly (bigint | number | boolean | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : String(value))).join(",")}}`;
}

type Scalar = string | bigint | number | boolean | null;

/** Columns of rows, as the arrays that `unnest($1::text[], $2::bigint[])` takes. */
export function columnsOf<Name extends string>(
  rows: readonly Readonly<Record<Name, Scalar>>[],
  ...names: readonly Name[]
): string[] {
  return names.map((name) => `{${rows.map((row) => literal(row[name])).join(",")}}`);
}

function literal(value: Scalar): string {
  return typeof value === "string" || value === null ? quoted(value) : String(value);
}

function quoted(value: string | null): string {
  if (value === null) return "NULL";
  if (!NEEDS_QUOTES.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

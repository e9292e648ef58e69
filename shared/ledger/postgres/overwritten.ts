/** The `SET` of an `ON CONFLICT ... DO UPDATE` that replaces these columns ("plan_id, period, ..."). */
export function overwritten(columns: string): string {
  const names = columns.split(",").map((name) => name.trim());
  return names.map((name) => `${name} = excluded.${name}`).join(", ");
}

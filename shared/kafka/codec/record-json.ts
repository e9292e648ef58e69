import { formatInstant } from "../../core/text/instant-text.ts";
import type { TopicSchema } from "./schemas.ts";

/** The fields of a topic's record in JSON, as the API shows them: amounts as decimal strings, instants as ISO 8601. */
export function recordToJson({
  text,
}: TopicSchema): (fields: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  const { fields } = JSON.parse(text) as { fields: { name: string; type: unknown }[] };
  const shown = fields.map(({ name, type }) => [name, isInstant(type)] as const);
  return (record) =>
    Object.fromEntries(shown.map(([name, instant]) => [name, inJson(record[name], instant)]));
}

function isInstant(type: unknown): boolean {
  if (Array.isArray(type)) return type.some(isInstant);
  return typeof type === "object" && type !== null && "logicalType" in type;
}

function inJson(value: unknown, instant: boolean): unknown {
  if (typeof value === "bigint") return String(value);
  return instant && typeof value === "number" ? formatInstant(value) : value;
}

import { z } from "zod";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { table } from "./table.ts";

const avroType = z.union([
  z.string(),
  z.array(z.unknown()),
  z.object({ type: z.string(), logicalType: z.string().optional(), values: z.string().optional() }),
]);

const record = z.object({
  name: z.string(),
  doc: z.string(),
  fields: z.array(z.object({ name: z.string(), type: avroType, doc: z.string().default("") })),
});

/** The records of each topic, from its Avro schema. */
export function recordTables(): string {
  return Object.values(SCHEMAS)
    .map(({ topic, text }) => {
      const { name, doc, fields } = record.parse(JSON.parse(text));
      const rows = fields.map((field) => [`\`${field.name}\``, typeName(field.type), field.doc]);
      return `### ${name}\n\n\`${topic}\`. ${doc}\n\n${table(["field", "type", "meaning"], rows)}`;
    })
    .join("\n\n");
}

function typeName(type: unknown): string {
  const parsed = avroType.parse(type);
  if (typeof parsed === "string") return parsed;
  if (Array.isArray(parsed)) {
    return parsed
      .map(typeName)
      .toSorted((a) => (a === "null" ? 1 : -1))
      .join(" or ");
  }
  return parsed.logicalType ?? (parsed.type === "map" ? `map of ${parsed.values}` : parsed.type);
}

import { randomUUID } from "node:crypto";

const TEXTS = ["event_id", "account_id", "meter"].map((name) => ({ name, type: "string" }));

const usage = (...fields: object[]) => ({
  type: "record",
  name: "UsageEvent",
  namespace: "drawdown",
  fields: [...TEXTS, ...fields],
});

const QUANTITY = { name: "quantity", type: "long" };
const OCCURRED_AT = {
  name: "occurred_at",
  type: { type: "long", logicalType: "timestamp-millis" },
};
const SOURCE = { name: "source", type: "string", default: "" };
const DIMENSIONS = {
  name: "dimensions",
  type: { type: "map", values: "string" },
  default: {},
};

/** Schemas that other producers may write usage with; all but the last two are readable as ours. */
export const FOREIGN_SCHEMAS = {
  /** Before events had a source and dimensions. */
  older: usage(QUANTITY, OCCURRED_AT),
  /** Quantities were 32 bits wide, and the time a plain number. */
  narrower: usage({ name: "quantity", type: "int" }, { name: "occurred_at", type: "long" }),
  newer: usage(
    QUANTITY,
    OCCURRED_AT,
    SOURCE,
    DIMENSIONS,
    { name: "region", type: "string", default: "" },
    { name: "tags", type: { type: "array", items: "string" }, default: [] },
  ),
  /** No quantity, so it cannot be read as ours. */
  unrelated: usage({ name: "note", type: "string" }),
  json: { $schema: "http://json-schema.org/draft-07/schema#", type: "object" },
} as const;

/** Registers a schema under a subject of its own and returns its id. */
export async function registerForeign(
  schema: object,
  type: "AVRO" | "JSON" = "AVRO",
  registryUrl = process.env["SCHEMA_REGISTRY_URL"],
): Promise<number> {
  const answer = await fetch(`${registryUrl}/subjects/test-${randomUUID()}/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schemaType: type, schema: JSON.stringify(schema) }),
  });
  const body: unknown = await answer.json();
  if (typeof body !== "object" || body === null || !("id" in body)) {
    throw new Error(`the registry answered ${answer.status}: ${JSON.stringify(body)}`);
  }
  return Number(body.id);
}

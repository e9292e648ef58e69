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
const QUANTITIES = {
  name: "quantities",
  type: { type: "map", values: "long" },
  default: {},
};

const HOLD_ID = { name: "hold_id", type: ["null", "string"], default: null };

/** Schemas that other producers may write usage with; all but `unrelated` and the last two are readable as ours. */
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
    QUANTITIES,
    HOLD_ID,
    { name: "region", type: "string", default: "" },
    { name: "tags", type: { type: "array", items: "string" }, default: [] },
  ),
  /** No quantity, so it cannot be read as ours. */
  unrelated: usage({ name: "note", type: "string" }),
  /** Its meter is of another schema. */
  referring: {
    ...usage(),
    fields: [
      ...TEXTS.filter(({ name }) => name !== "meter"),
      { name: "meter", type: "test.Meter" },
      QUANTITY,
      OCCURRED_AT,
    ],
  },
  meter: { type: "enum", name: "Meter", namespace: "test", symbols: ["data", "call"] },
  json: { $schema: "http://json-schema.org/draft-07/schema#", type: "object" },
} as const;

/** Registers a schema under a subject of its own and returns its id. */
export async function registerForeign(
  schema: object,
  type: "AVRO" | "JSON" = "AVRO",
  registryUrl = process.env["SCHEMA_REGISTRY_URL"],
): Promise<number> {
  const asked = { schemaType: type, schema: JSON.stringify(schema) };
  return register(`test-${randomUUID()}`, asked, registryUrl);
}

/** Registers `referring` and the schema that it refers to, each under a subject of its own. */
export async function registerReferring(): Promise<number> {
  const { meter, referring } = FOREIGN_SCHEMAS;
  const subject = `test-${randomUUID()}`;
  await register(subject, { schema: JSON.stringify(meter) });
  const references = [{ name: "test.Meter", subject, version: 1 }];
  return register(`test-${randomUUID()}`, { schema: JSON.stringify(referring), references });
}

async function register(
  subject: string,
  asked: object,
  registryUrl = process.env["SCHEMA_REGISTRY_URL"],
): Promise<number> {
  const answer = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify(asked),
  });
  const body: unknown = await answer.json();
  if (typeof body !== "object" || body === null || !("id" in body)) {
    throw new Error(`the registry answered ${answer.status}: ${JSON.stringify(body)}`);
  }
  return Number(body.id);
}

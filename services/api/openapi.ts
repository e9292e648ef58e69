import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";

/** OpenAPI 3.1, made of the schemas that validate. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Drawdown",
      version: "1",
      description:
        "Prepaid credits: what is left, what it was spent on, and what adds to it. Credits are micro-credits and money is in minor units, both as decimal strings. Errors are RFC 9457 problem documents. A POST with an Idempotency-Key is done once.",
    },
    components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
    security: [{ key: [] }],
  },
  transform: createJsonSchemaTransform({ zodToJsonConfig: { override: asOnTheWire } }),
};

function saidOf({ description, example }: z.core.JSONSchema.BaseSchema) {
  return {
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
  };
}

/** A codec looks outside as what it reads, in answers too; nothing is `null` in JSON Schema. */
function asOnTheWire({
  zodSchema,
  jsonSchema,
}: Parameters<NonNullable<z.core.ToJSONSchemaParams["override"]>>[0]): void {
  const { def } = zodSchema._zod;
  if (def.type === "undefined") jsonSchema.type = "null";
  if (def.type !== "pipe") return;
  const { $schema: _, ...wire } = z.toJSONSchema(def.in, { io: "input" });
  // What is said of one use of it goes before what is said of all.
  Object.assign(jsonSchema, { ...wire, ...saidOf(jsonSchema) });
}

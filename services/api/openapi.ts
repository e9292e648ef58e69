import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";

/** OpenAPI 3.1, generated from the schemas that validate requests and encode answers. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Drawdown",
      version: "1",
      description:
        "Prepaid credits and usage: balances, what they were spent on, grants, top-ups and subscriptions. Credits are micro-credits and money is in minor units, both as decimal strings. Errors are RFC 9457 problem documents. A POST with an Idempotency-Key runs once.",
    },
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key with the scope named." },
        token: { type: "http", scheme: "bearer", description: "A dashboard token of the account." },
      },
    },
    security: [{ key: ["admin"] }],
  },
  transform: createJsonSchemaTransform({ zodToJsonConfig: { override: asOnTheWire } }),
};

function docsOf({ description, example }: z.core.JSONSchema.BaseSchema) {
  return {
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
  };
}

/** Documents a codec by its wire side, in requests and answers. An empty answer is `null` in JSON Schema. */
function asOnTheWire({
  zodSchema,
  jsonSchema,
}: Parameters<NonNullable<z.core.ToJSONSchemaParams["override"]>>[0]): void {
  const { def } = zodSchema._zod;
  if (def.type === "undefined") jsonSchema.type = "null";
  if (def.type !== "pipe") return;
  const { $schema: _, ...wire } = z.toJSONSchema(def.in, { io: "input" });
  // The description of this use takes precedence over that of the codec.
  Object.assign(jsonSchema, { ...wire, ...docsOf(jsonSchema) });
}

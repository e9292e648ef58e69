import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";
import { nameComponents } from "./name-components.ts";
import { operationId } from "./operation-id.ts";

/** OpenAPI 3.1, generated from the schemas that validate requests and encode answers. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Drawdown",
      version: "1",
      description:
        "Prepaid credits and usage: balances, what they were spent on, grants, top-ups and subscriptions. Credits are micro-credits and money is in minor units, both as decimal strings. Errors are RFC 9457 problem documents. A POST with an Idempotency-Key runs once. A path that exists answers other methods with 405 and Allow; headers of more than 16 KiB are answered with 431.",
    },
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key with the scope named." },
        token: { type: "http", scheme: "bearer", description: "A dashboard token of the account." },
      },
    },
    security: [{ key: ["admin"] }],
  },
  transform(document) {
    const { schema, url } = toJson(document);
    if (schema?.hide === true) return { schema, url };
    const { method } = document.route;
    const answer = z.object({ "200": z.union([listed, listedAs]) }).safeParse(schema?.["response"]);
    const id = operationId(String(method), url, answer.success);
    return { schema: { ...schema, operationId: id }, url };
  },
  transformObject: (document) =>
    "openapiObject" in document ? nameComponents(document.openapiObject) : document.swaggerObject,
};

const toJson = createJsonSchemaTransform({ zodToJsonConfig: { override: asOnTheWire } });
const listed = z.object({ properties: z.object({ items: z.unknown() }) });
const listedAs = z.object({
  content: z.object({ "application/json": z.object({ schema: listed }) }),
});

function docsOf({ title, description, example }: z.core.JSONSchema.BaseSchema) {
  return {
    ...(title === undefined ? {} : { title }),
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
  // The title and description of this use take precedence over those of the codec.
  Object.assign(jsonSchema, { ...wire, ...docsOf(jsonSchema) });
}

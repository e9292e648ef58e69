import type avro from "avsc";
import type { RegistrySettings } from "../../runtime/server-settings.ts";
import { type Registry, registerSchema, request, unexpected } from "./registry.ts";
import { writerType } from "./writer-schema.ts";

export function openRegistry(settings: RegistrySettings): Registry {
  return {
    schemaOf: (id) => fetchSchema(settings, id),
    register: (schema) => registerSchema(settings, schema),
  };
}

const SCHEMA_NOT_FOUND = 40403;

async function fetchSchema(settings: RegistrySettings, id: number): Promise<avro.Type | null> {
  const { status, body } = await request(settings, "GET", `schemas/ids/${id}`);
  if (status === 404 && body["error_code"] === SCHEMA_NOT_FOUND) return null;
  const { schema, schemaType = "AVRO" } = body;
  if (status !== 200 || typeof schema !== "string") throw unexpected(status, `for schema ${id}`);
  if (schemaType !== "AVRO") throw new Error(`its type is ${schemaType}, not AVRO`);
  return writerType(schema);
}

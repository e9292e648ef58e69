import type avro from "avsc";
import type { RegistrySettings } from "../../runtime/server-settings.ts";
import { judgeFailingSchemas } from "./failing-schemas.ts";
import { type Registry, registerSchema, request, unexpected } from "./registry.ts";
import { writerType } from "./writer-schema.ts";

/** How long the registry may fail for one schema, while it answers otherwise, before that is no outage. */
const PATIENCE_MS = 60_000;

/** With `patienceMs` 0, for a command, a schema is judged at once. */
export function openRegistry(settings: RegistrySettings, patienceMs = PATIENCE_MS): Registry {
  return {
    schemaOf: judgeFailingSchemas((id) => fetchSchema(settings, id), patienceMs),
    register: (schema) => registerSchema(settings, schema),
  };
}

const SCHEMA_NOT_FOUND = 40403;

async function fetchSchema(settings: RegistrySettings, id: number): Promise<avro.Type | null> {
  const { status, body } = await request(settings, "GET", `schemas/ids/${id}`);
  if (status === 404 && body["error_code"] === SCHEMA_NOT_FOUND) return null;
  const { schema, schemaType = "AVRO" } = body;
  if (status !== 200 || typeof schema !== "string")
    throw unexpected(settings, status, `for schema ${id}`);
  if (schemaType !== "AVRO") throw new Error(`its type is ${schemaType}, not AVRO`);
  const references = new Map<string, string>();
  await collectReferences(settings, body["references"], references, 1);
  return writerType(schema, [...references.values()]);
}

const MOST_REFERENCES = 32;
const DEEPEST_REFERENCE = 8;

/** Adds the schemas that these references name, each after those that it refers to itself. */
async function collectReferences(
  settings: RegistrySettings,
  references: unknown,
  found: Map<string, string>,
  depth: number,
): Promise<void> {
  if (!Array.isArray(references)) return;
  for (const reference of references) {
    const path = pathOf(reference);
    if (found.has(path)) continue;
    if (depth > DEEPEST_REFERENCE || found.size >= MOST_REFERENCES) {
      throw new Error(
        `it refers to more than ${MOST_REFERENCES} schemas, or more than ${DEEPEST_REFERENCE} deep`,
      );
    }
    const { schema, references: further } = await fetchReference(settings, path);
    await collectReferences(settings, further, found, depth + 1);
    found.set(path, schema);
  }
}

function pathOf(reference: unknown): string {
  const { subject, version }: { subject?: unknown; version?: unknown } = Object(reference);
  if (typeof subject === "string" && typeof version === "number") {
    return `subjects/${encodeURIComponent(subject)}/versions/${version}`;
  }
  throw new Error("it has a reference without a subject and a version");
}

async function fetchReference(settings: RegistrySettings, path: string) {
  const { status, body } = await request(settings, "GET", path);
  if (status === 404) throw new Error(`it refers to ${path}, which is gone`);
  const { schema, references } = body;
  if (status !== 200 || typeof schema !== "string")
    throw unexpected(settings, status, `for ${path}`);
  return { schema, references };
}

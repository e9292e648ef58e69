import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import type { RegistrySettings } from "../runtime/settings.ts";
import { SCHEMAS, type TopicSchema, typeHook } from "./schemas.ts";

/** The registry cannot be reached or does not answer as one: an outage, never a bad event. */
export class RegistryUnavailable extends Error {}

/** The registry refuses a schema, because those who read the topic could not read it. */
export class IncompatibleSchema extends Error {}

export function openRegistry(settings: RegistrySettings): SchemaRegistry {
  return new SchemaRegistry(
    {
      host: settings.url,
      ...(settings.auth === null ? {} : { auth: settings.auth }),
      retry: { retries: 2, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 1 },
    },
    { [SchemaType.AVRO]: { typeHook } },
  );
}

/**
 * Registers the record of a topic (compatibility BACKWARD) and returns its id; the same schema
 * again gives the same id. Throws IncompatibleSchema or RegistryUnavailable.
 */
export async function registerSchema(
  registry: SchemaRegistry,
  schema: TopicSchema,
): Promise<number> {
  try {
    const { id } = await registry.register(
      { type: SchemaType.AVRO, schema: schema.text },
      { subject: schema.subject },
    );
    return id;
  } catch (error) {
    const message = `${schema.subject}: ${(error as Error).message}`;
    const status = statusOf(error);
    if (status === 409 || status === 422) throw new IncompatibleSchema(message, { cause: error });
    if (isCompatibilitySetting(error)) throw new IncompatibleSchema(message, { cause: error });
    throw new RegistryUnavailable(`schema registry: ${message}`, { cause: error });
  }
}

/** Registers the records of all topics. */
export async function registerSchemas(registry: SchemaRegistry): Promise<void> {
  for (const schema of Object.values(SCHEMAS)) await registerSchema(registry, schema);
}

/** The HTTP status that the registry answered with, or null when it did not answer. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("status" in error)) return null;
  return typeof error.status === "number" ? error.status : null;
}

function isCompatibilitySetting(error: unknown): boolean {
  return error instanceof Error && error.name === "ConfluentSchemaRegistryCompatibilityError";
}

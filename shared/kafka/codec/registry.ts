import { setTimeout as sleep } from "node:timers/promises";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avro from "avsc";
import { z } from "zod";
import type { RegistrySettings } from "../../runtime/settings.ts";
import { SCHEMAS, type TopicSchema, typeHook } from "./schemas.ts";

/** The registry cannot be reached or does not answer as one: an outage, never a bad event. */
export class RegistryUnavailable extends Error {}

/** The registry refuses a schema: readers of the topic could not read it. */
export class IncompatibleSchema extends Error {}

/** A registry client. A request that gets no answer fails within seconds. */
export function openRegistry(settings: RegistrySettings): SchemaRegistry {
  return new Registry(settings);
}

class Registry extends SchemaRegistry {
  readonly #settings: RegistrySettings;

  constructor(settings: RegistrySettings) {
    super(
      {
        host: settings.url,
        ...(settings.auth === null ? {} : { auth: settings.auth }),
        retry: { retries: 2, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 1 },
      },
      { [SchemaType.AVRO]: { typeHook } },
    );
    this.#settings = settings;
  }

  override getSchema(id: number): Promise<avro.Type> {
    return fetchSchema(this.#settings, id);
  }
}

const ANSWER_WITHIN_MS = 5_000;
const SCHEMA_NOT_FOUND = 40403;

/**
 * The Avro type of a schema id. The library's own lookup has no time limit, waits for a hung request for
 * ever and takes any page for an answer. Throws an error with status 404 when the registry has no such
 * schema, RegistryUnavailable when it does not answer as one, any other error for a schema that is not
 * Avro.
 */
async function fetchSchema({ url, auth }: RegistrySettings, id: number): Promise<avro.Type> {
  const credentials =
    auth === null ? null : Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
  let status: number;
  let body: unknown;
  try {
    const response = await fetch(`${url.replace(/\/$/, "")}/schemas/ids/${id}`, {
      headers: credentials === null ? {} : { authorization: `Basic ${credentials}` },
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    status = response.status;
    body = await response.json();
  } catch (error) {
    throw new RegistryUnavailable(`schema registry: ${(error as Error).message}`, { cause: error });
  }
  const missing = errorAnswer.safeParse(body);
  if (status === 404 && missing.data?.error_code === SCHEMA_NOT_FOUND) {
    throw Object.assign(new Error(`the registry has no schema ${id}`), { status });
  }
  const found = schemaAnswer.safeParse(body);
  if (status !== 200 || !found.success) {
    throw new RegistryUnavailable(`schema registry: answered ${status} for schema ${id}`);
  }
  const { schema, schemaType } = found.data;
  if (schemaType !== "AVRO") throw new Error(`its type is ${schemaType}, not AVRO`);
  return avro.Type.forSchema(JSON.parse(schema), { typeHook });
}

const errorAnswer = z.object({ error_code: z.number() });
const schemaAnswer = z.object({ schema: z.string(), schemaType: z.string().default("AVRO") });

/**
 * Registers the record of a topic (compatibility BACKWARD) and returns its id; the same schema
 * again gives the same id. Throws IncompatibleSchema or RegistryUnavailable.
 */
export async function registerSchema(
  registry: SchemaRegistry,
  schema: TopicSchema,
): Promise<number> {
  try {
    const registering = registry.register(
      { type: SchemaType.AVRO, schema: schema.text },
      { subject: schema.subject },
    );
    const { id } = await Promise.race([registering, timeout()]);
    return id;
  } catch (error) {
    const message = `${schema.subject}: ${(error as Error).message}`;
    const status = statusOf(error);
    if (status === 409 || status === 422) throw new IncompatibleSchema(message, { cause: error });
    if (isCompatibilitySetting(error)) throw new IncompatibleSchema(message, { cause: error });
    throw new RegistryUnavailable(`schema registry: ${message}`, { cause: error });
  }
}

async function timeout(): Promise<never> {
  await sleep(3 * ANSWER_WITHIN_MS, undefined, { ref: false });
  throw new Error(`no answer within ${(3 * ANSWER_WITHIN_MS) / 1000} s`);
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

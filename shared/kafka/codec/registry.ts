import type avro from "avsc";
import { z } from "zod";
import type { RegistrySettings } from "../../runtime/settings.ts";
import { SCHEMAS, type TopicSchema } from "./schemas.ts";
import { writerType } from "./writer-schema.ts";

/** The registry cannot be reached or answers with something else: an outage, never a bad event. */
export class RegistryUnavailable extends Error {}

/** The registry refuses a schema: readers of the topic could not read it. */
export class IncompatibleSchema extends Error {}

/** A schema registry with Confluent's API. A request without an answer fails after 5 seconds. */
export interface Registry {
  /**
   * The Avro type of a schema id; null if the registry has no such schema. Throws RegistryUnavailable,
   * or any other error for a schema that cannot be used (`writerType`).
   */
  schemaOf(id: number): Promise<avro.Type | null>;
  /**
   * Registers a topic's schema (compatibility BACKWARD) and returns its id, which is the same each
   * time. Throws IncompatibleSchema or RegistryUnavailable.
   */
  register(schema: TopicSchema): Promise<number>;
}

export function openRegistry(settings: RegistrySettings): Registry {
  return {
    schemaOf: (id) => fetchSchema(settings, id),
    register: (schema) => register(settings, schema),
  };
}

async function fetchSchema(settings: RegistrySettings, id: number): Promise<avro.Type | null> {
  const { status, body } = await request(settings, "GET", `schemas/ids/${id}`);
  if (status === 404 && errorAnswer.safeParse(body).data?.error_code === SCHEMA_NOT_FOUND) {
    return null;
  }
  const found = schemaAnswer.safeParse(body);
  if (status !== 200 || !found.success) throw unexpected(status, `for schema ${id}`);
  const { schema, schemaType } = found.data;
  if (schemaType !== "AVRO") throw new Error(`its type is ${schemaType}, not AVRO`);
  return writerType(schema);
}

async function register(
  settings: RegistrySettings,
  { subject, text }: TopicSchema,
): Promise<number> {
  const config = `config/${encodeURIComponent(subject)}`;
  const set = await request(settings, "GET", config);
  const isNew = set.status === 404;
  const level = configAnswer.safeParse(set.body).data?.compatibilityLevel;
  if (!isNew && (set.status !== 200 || level === undefined)) {
    throw unexpected(set.status, `for the compatibility of ${subject}`);
  }
  if (!isNew && level !== COMPATIBILITY) {
    throw new IncompatibleSchema(
      `${subject}: its compatibility is ${level}; set it to ${COMPATIBILITY}`,
    );
  }
  const versions = `subjects/${encodeURIComponent(subject)}/versions`;
  const { status, body } = await request(settings, "POST", versions, { schema: text });
  if (status === 409 || status === 422) {
    throw new IncompatibleSchema(`${subject}: ${errorAnswer.safeParse(body).data?.message}`);
  }
  const registered = idAnswer.safeParse(body);
  if (status !== 200 || !registered.success) throw unexpected(status, `to ${subject}`);
  if (isNew) {
    const put = await request(settings, "PUT", config, { compatibility: COMPATIBILITY });
    if (put.status !== 200) throw unexpected(put.status, `to the compatibility of ${subject}`);
  }
  return registered.data.id;
}

/** Registers the schemas of all topics. */
export async function registerSchemas(registry: Registry): Promise<void> {
  for (const schema of Object.values(SCHEMAS)) await registry.register(schema);
}

const COMPATIBILITY = "BACKWARD";
const SCHEMA_NOT_FOUND = 40403;
const TIMEOUT_MS = 5_000;

const errorAnswer = z.object({ error_code: z.number(), message: z.string().default("") });
const schemaAnswer = z.object({ schema: z.string(), schemaType: z.string().default("AVRO") });
const configAnswer = z.object({ compatibilityLevel: z.string() });
const idAnswer = z.object({ id: z.number() });

/** Throws RegistryUnavailable without an answer in JSON: it may be a proxy's error page. */
async function request(
  { url, auth }: RegistrySettings,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  const headers = new Headers({ "content-type": "application/vnd.schemaregistry.v1+json" });
  if (auth !== null) {
    const credentials = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    headers.set("authorization", `Basic ${credentials}`);
  }
  try {
    const response = await fetch(`${url.replace(/\/$/, "")}/${path}`, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    throw new RegistryUnavailable(`schema registry: ${(error as Error).message}`, { cause: error });
  }
}

function unexpected(status: number, what: string): RegistryUnavailable {
  return new RegistryUnavailable(`schema registry: answered ${status} ${what}`);
}

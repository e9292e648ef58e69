import querystring from "node:querystring";
import type avro from "avsc";
import type { RegistrySettings } from "../../runtime/server-settings.ts";
import { type Compatibility, SCHEMAS, type TopicSchema } from "./schemas.ts";

/** The registry cannot be reached or answers with something else: an outage, never a bad event. */
export class RegistryUnavailable extends Error {}

/** The registry refuses a schema: readers of the topic could not read it. */
export class IncompatibleSchema extends Error {}

/** A schema registry with Confluent's API. A request without an answer fails after 5 seconds. */
export interface Registry {
  /**
   * The Avro type of a schema id; null if the registry has no such schema. Throws RegistryUnavailable,
   * SchemaUnserved (`judgeFailingSchemas`), or any other error for a schema that cannot be used
   * (`writerType`).
   */
  schemaOf(id: number): Promise<avro.Type | null>;
  /**
   * Registers a topic's schema and returns its id, which is the same each time. Sets the compatibility of
   * the topic's schemas where none is set, or what an earlier version set. Throws IncompatibleSchema or
   * RegistryUnavailable.
   */
  register(schema: TopicSchema): Promise<number>;
}

/** As `Registry.register`. The client's package carries this file: it takes no dependency beyond avsc. */
export async function registerSchema(
  settings: RegistrySettings,
  { subject, text, compatibility }: TopicSchema,
): Promise<number> {
  const config = `config/${encodeURIComponent(subject)}`;
  const set = await request(settings, "GET", config);
  const level = set.status === 404 ? null : set.body["compatibilityLevel"];
  if (level !== null && (set.status !== 200 || typeof level !== "string")) {
    throw unexpected(settings, set.status, `for the compatibility of ${subject}`);
  }
  const isOurs = level === null || level === SET_BEFORE;
  if (!isOurs && !SUFFICIENT[compatibility].includes(level)) {
    throw new IncompatibleSchema(
      `${subject}: its compatibility is ${level}; set it to ${compatibility}`,
    );
  }
  const versions = `subjects/${encodeURIComponent(subject)}/versions`;
  const { status, body } = await request(settings, "POST", versions, { schema: text });
  if (status === 409 || status === 422) {
    throw new IncompatibleSchema(`${subject}: ${body["message"]}`);
  }
  const { id } = body;
  if (status !== 200 || typeof id !== "number") throw unexpected(settings, status, `to ${subject}`);
  if (isOurs && level !== compatibility) {
    const put = await request(settings, "PUT", config, { compatibility });
    if (put.status !== 200)
      throw unexpected(settings, put.status, `to the compatibility of ${subject}`);
  }
  return id;
}

/** Registers the schemas of all topics. */
export async function registerSchemas(registry: Registry): Promise<void> {
  for (const schema of Object.values(SCHEMAS)) await registry.register(schema);
}

/** What versions before this one set for every topic. */
const SET_BEFORE = "BACKWARD";
/** What promises at least as much. */
const SUFFICIENT: Readonly<Record<Compatibility, readonly string[]>> = {
  BACKWARD: ["BACKWARD", "BACKWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"],
  FORWARD_TRANSITIVE: ["FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"],
};
const TIMEOUT_MS = 5_000;

/** Throws RegistryUnavailable without an answer in JSON: it may be a proxy's error page. */
export async function request(
  settings: RegistrySettings,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  const { url, authorization } = registryAddress(settings);
  try {
    const response = await fetch(`${url}/${path}`, {
      method,
      headers: { "content-type": "application/vnd.schemaregistry.v1+json", ...authorization },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: fieldsOf(await response.json()) };
  } catch (error) {
    throw unavailable(settings, error);
  }
}

/**
 * The registry's URL without the user and password that may be in it, and the header that has them: fetch
 * refuses such a URL, with an error that shows the password.
 */
export function registryAddress({ url: given, auth }: RegistrySettings) {
  const url = new URL(given);
  const user = auth ?? {
    username: querystring.unescape(url.username),
    password: querystring.unescape(url.password),
  };
  url.username = "";
  url.password = "";
  const credentials = Buffer.from(`${user.username}:${user.password}`).toString("base64");
  return {
    url: url.href.replace(/\/$/, ""),
    authorization: user.username === "" ? {} : { authorization: `Basic ${credentials}` },
  };
}

/** fetch reports only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message === "" ? error.name : error.message;
}

function fieldsOf(answer: unknown): Record<string, unknown> {
  return typeof answer === "object" && answer !== null ? { ...answer } : {};
}

export function unexpected(
  settings: RegistrySettings,
  status: number,
  what: string,
): RegistryUnavailable {
  return unavailable(settings, new Error(`answered ${status} ${what}`));
}

/** Says where the registry is: an error of HTTP or of a proxy does not. */
function unavailable(settings: RegistrySettings, cause: unknown): RegistryUnavailable {
  const { url } = registryAddress(settings);
  return new RegistryUnavailable(`schema registry at ${url}: ${reasonOf(cause)}`, { cause });
}

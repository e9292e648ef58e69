import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Stack } from "./stack.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
/** Where `npm start` writes how commands find its servers; relative to the project, where its commands are typed. */
export const SERVERS_FILE = ".local/data/servers.sh";

type Environment = Readonly<Record<string, string | undefined>>;

/** Said first where they are used: they may have been set long ago. */
export const USING_GIVEN =
  "DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL are set: those servers are used. Unset all three to start servers here.";

/**
 * The servers of DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL; undefined if none is set, or if they are those
 * that `npm start` runs itself, which a terminal that has read `file` has set for good. Throws if only some are set.
 */
export function stackFromEnvironment(
  environment: Environment = process.env,
  file = resolve(PROJECT, SERVERS_FILE),
): Stack | undefined {
  const { DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = environment;
  if (DATABASE_URL && KAFKA_BROKERS && SCHEMA_REGISTRY_URL) {
    const env = { DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL };
    if (isOfFile(env, file)) return undefined;
    const stop = async () => {};
    return { env, servicesEnv: {}, setUpEnv: {}, superuserUrl: DATABASE_URL, stop };
  }
  const settings = Object.entries({ DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL });
  const missing = settings.filter(([, value]) => !value).map(([name]) => name);
  if (missing.length === settings.length) return undefined;
  throw new Error(
    `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set. Set all of DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL to use existing servers, or none to start them here.`,
  );
}

/** Each start has another password, and mostly the same ports. */
function isOfFile(env: Readonly<Record<string, string>>, file: string): boolean {
  let written: string[];
  try {
    written = readFileSync(file, "utf8").split("\n").map(withoutPassword);
  } catch {
    return false; // nothing has been started here
  }
  return Object.entries(env).every(([name, value]) =>
    written.includes(withoutPassword(`export ${name}=${value}`)),
  );
}

function withoutPassword(line: string): string {
  return line.replace(/:[^:@/]*@/, "@");
}

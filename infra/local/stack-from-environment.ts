import type { Stack } from "./stack.ts";

/** Said first where they are used: a terminal that has read servers.sh once has them set for good. */
export const USING_GIVEN =
  "DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL are set: those servers are used. Unset all three to start servers here.";

/**
 * The servers of DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL; undefined if none is set. Throws
 * if only some are set.
 */
export function stackFromEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Stack | undefined {
  const { DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = environment;
  if (DATABASE_URL && KAFKA_BROKERS && SCHEMA_REGISTRY_URL) {
    const env = { DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL };
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

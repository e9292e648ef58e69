import type { Stack } from "./stack.ts";

/**
 * The servers that DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL name; undefined when none of
 * them is set. Some of them set is an error: half of one stack and half of another helps nobody.
 */
export function stackFromEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Stack | undefined {
  const { DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = environment;
  if (DATABASE_URL && KAFKA_BROKERS && SCHEMA_REGISTRY_URL) {
    return { env: { DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL }, stop: async () => {} };
  }
  const settings = Object.entries({ DATABASE_URL, KAFKA_BROKERS, SCHEMA_REGISTRY_URL });
  const missing = settings.filter(([, value]) => !value).map(([name]) => name);
  if (missing.length === settings.length) return undefined;
  throw new Error(
    `Of the three servers some are set and ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not: set all three to use them, or none to have them started here.`,
  );
}

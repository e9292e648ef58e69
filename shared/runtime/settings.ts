import { readFileSync } from "node:fs";
import { validate as isCronExpression } from "node-cron";
import { z } from "zod";
import type { EventWindow } from "../core/usage/usage-event.ts";

/** All settings come from the environment; the README lists them with their meaning. */
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const duration = (fallback: number) => z.coerce.number().int().min(0).default(fallback);

const DAY_MS = 24 * 60 * 60 * 1000;

/** How far an event's time may lie from the clock unless set otherwise: 5 minutes ahead, 35 days back. */
export const DEFAULT_WINDOW: EventWindow = {
  maxAheadMs: 5 * 60 * 1000,
  maxBehindMs: 35 * DAY_MS,
};

const cron = z.string().refine(isCronExpression, "must be a cron expression like */5 * * * *");

const environment = z
  .object({
    DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres://"),
    DATABASE_TLS: z.enum(["off", "require", "verify"]).default("off"),
    DATABASE_CA_FILE: z.string().optional(),
    KAFKA_BROKERS: z
      .string()
      .transform((list) => list.split(",").map((broker) => broker.trim()))
      .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, "must be host:port, separated by commas"))),
    KAFKA_TLS: flag.default(false),
    KAFKA_CA_FILE: z.string().optional(),
    KAFKA_SASL_MECHANISM: z.enum(["plain", "scram-sha-256", "scram-sha-512"]).optional(),
    KAFKA_SASL_USERNAME: z.string().optional(),
    KAFKA_SASL_PASSWORD: z.string().optional(),
    KAFKA_REPLICATION: z.coerce.number().int().min(-1).default(-1),
    USAGE_PARTITIONS: z.coerce.number().int().min(1).max(1000).default(4),
    SCHEMA_REGISTRY_URL: z.url({ protocol: /^https?$/ }),
    SCHEMA_REGISTRY_USERNAME: z.string().optional(),
    SCHEMA_REGISTRY_PASSWORD: z.string().optional(),
    METERING_BATCH_EVENTS: z.coerce.number().int().min(1).max(100_000).default(40_000),
    EVENT_MAX_AHEAD_SECONDS: duration(DEFAULT_WINDOW.maxAheadMs / 1000),
    EVENT_MAX_BEHIND_SECONDS: duration(DEFAULT_WINDOW.maxBehindMs / 1000),
    SCHEDULER_CRON: cron.default("* * * * *"),
    RECONCILE_CRON: cron.default("30 3 * * *"),
    EXPIRY_NOTICE_DAYS: z.coerce.number().int().min(0).max(366).default(7),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  })
  .refine((env) => env.KAFKA_SASL_MECHANISM === undefined || hasBoth(env), {
    path: ["KAFKA_SASL_MECHANISM"],
    message: "needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
  });

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly tls: { readonly ca?: string } | null;
  readonly sasl: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  } | null;
  /** -1: the broker's own default. */
  readonly replication: number;
  readonly usagePartitions: number;
}

export interface RegistrySettings {
  readonly url: string;
  readonly auth: { readonly username: string; readonly password: string } | null;
}

export interface Settings {
  readonly database: {
    readonly url: string;
    readonly tls: { readonly ca?: string; readonly rejectUnauthorized: boolean } | null;
  };
  readonly kafka: KafkaSettings;
  readonly registry: RegistrySettings;
  readonly metering: {
    readonly batchEvents: number;
    readonly window: EventWindow;
  };
  readonly scheduler: {
    /** When it runs, in UTC. */
    readonly cron: string;
    /** When it proves the usage that is new, in UTC. */
    readonly proofCron: string;
    /** How long before credits expire notice is given; 0: never. */
    readonly noticeWithinMs: number;
  };
  readonly logLevel: string;
}

/** Says which settings are missing or wrong, each by its name; the values (secrets among them) stay out. */
export class InvalidSettings extends Error {}

/** Reads and validates the settings; throws InvalidSettings. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const set = readEnvironment(environment, env);
  return {
    database: {
      url: set.DATABASE_URL,
      tls:
        set.DATABASE_TLS === "off"
          ? null
          : {
              rejectUnauthorized: set.DATABASE_TLS === "verify",
              ...certificate("DATABASE_CA_FILE", set.DATABASE_CA_FILE),
            },
    },
    kafka: {
      brokers: set.KAFKA_BROKERS,
      tls: set.KAFKA_TLS ? certificate("KAFKA_CA_FILE", set.KAFKA_CA_FILE) : null,
      sasl:
        set.KAFKA_SASL_MECHANISM === undefined
          ? null
          : {
              mechanism: set.KAFKA_SASL_MECHANISM,
              username: set.KAFKA_SASL_USERNAME ?? "",
              password: set.KAFKA_SASL_PASSWORD ?? "",
            },
      replication: set.KAFKA_REPLICATION,
      usagePartitions: set.USAGE_PARTITIONS,
    },
    registry: {
      url: set.SCHEMA_REGISTRY_URL,
      auth:
        set.SCHEMA_REGISTRY_USERNAME === undefined
          ? null
          : {
              username: set.SCHEMA_REGISTRY_USERNAME,
              password: set.SCHEMA_REGISTRY_PASSWORD ?? "",
            },
    },
    metering: {
      batchEvents: set.METERING_BATCH_EVENTS,
      window: {
        maxAheadMs: set.EVENT_MAX_AHEAD_SECONDS * 1000,
        maxBehindMs: set.EVENT_MAX_BEHIND_SECONDS * 1000,
      },
    },
    scheduler: {
      cron: set.SCHEDULER_CRON,
      proofCron: set.RECONCILE_CRON,
      noticeWithinMs: set.EXPIRY_NOTICE_DAYS * DAY_MS,
    },
    logLevel: set.LOG_LEVEL,
  };
}

/** The variables that `schema` names; throws InvalidSettings. */
export function readEnvironment<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): T {
  // `X=${X:-}` in a compose file sets an empty text where nothing is meant.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `  ${name}: ${given[name] === undefined ? "is not set" : issue.message}`;
  });
  throw new InvalidSettings(`Settings in the environment are not usable:\n${problems.join("\n")}`);
}

function hasBoth(env: {
  KAFKA_SASL_USERNAME?: string | undefined;
  KAFKA_SASL_PASSWORD?: string | undefined;
}) {
  return env.KAFKA_SASL_USERNAME !== undefined && env.KAFKA_SASL_PASSWORD !== undefined;
}

function certificate(name: string, file: string | undefined): { ca?: string } {
  if (file === undefined) return {};
  try {
    return { ca: readFileSync(file, "utf8") };
  } catch (error) {
    throw new InvalidSettings(`${name}: cannot read ${file}: ${(error as Error).message}`);
  }
}

import { readFileSync } from "node:fs";
import { validate as isCronExpression } from "node-cron";
import { z } from "zod";
import { leastUsageMs, parseRetention, retentionMs } from "../core/history/retention.ts";
import { USUAL_ATTEMPTS } from "../core/payments/attempts-by-hand.ts";
import { DEFAULT_WINDOW, MOST_AHEAD_MS } from "../core/usage/usage-event.ts";
import { databaseUrlProblem, hasLateSign } from "./database-url.ts";
import { sayProblemsPlainly } from "./plain-problems.ts";
import type { KafkaSettings, RegistrySettings, TopicSettings } from "./server-settings.ts";
import { SAMPLERS, type TraceSettings } from "./tracing/tracing.ts";

/** An optional text and its description. */
export const optional = (meaning: string) => z.string().optional().describe(meaning);

/** A whole number in a range, with a default. */
export const whole = (least: number, most: number, usual: number) =>
  z.coerce.number().int().min(least).max(most).default(usual);

const MOST_PORT = 65_535;

/** A port to listen on; 0 is any free port. */
export const port = (usual: number) => whole(0, MOST_PORT, usual);

export const logLevel = z
  .enum(["trace", "debug", "info", "warn", "error", "silent"])
  .default("info")
  .describe("The least important messages that are logged");

const DAY_MS = 24 * 60 * 60 * 1000;
const LEAST_WEBHOOKS_MS = 5 * DAY_MS;

const seconds = (usualMs: number, mostMs = Number.POSITIVE_INFINITY) =>
  z.coerce
    .number()
    .int()
    .min(0)
    .max(mostMs / 1000)
    .default(usualMs / 1000);

/** No field has three digits; the library would count up to whatever number ends a range. */
const cron = z
  .string()
  .refine(
    (text) => !/\d{3}/.test(text) && isCronExpression(text),
    "must be a cron expression like */5 * * * *",
  );

const isBroker = (text: string) =>
  /^[^\s:]+:\d{1,5}$/.test(text) && Number(text.split(":")[1]) <= MOST_PORT;

const retention = (usual: string) =>
  z
    .string()
    .transform((text, context) => {
      const parsed = parseRetention(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({
        code: "custom",
        message: "must be like 90 days, 13 months or forever, 1 to 9999 of them",
      });
      return z.NEVER;
    })
    .prefault(usual);

const databaseUrl = z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres://");

/** The settings of every service. `npm run docs` writes docs/settings.md from it. */
export const environment = z
  .object({
    DATABASE_URL: databaseUrl.describe("`postgresql://user:password@host:port/database`"),
    DATABASE_OWNER_URL: databaseUrl
      .optional()
      .describe(
        "As `DATABASE_URL`, with the role that owns the tables. Set-up migrates as it, and grants the role of `DATABASE_URL` what the services need; without it, one role does both",
      ),
    DATABASE_TLS: z
      .enum(["off", "require", "verify"])
      .default("off")
      .describe("`require` encrypts, `verify` checks too, `off` is as the URL says"),
    DATABASE_CA_FILE: optional("Certificate authority, a PEM file"),
    KAFKA_BROKERS: z
      .string()
      .transform((list) => list.split(",").map((broker) => broker.trim()))
      .pipe(z.array(z.string().refine(isBroker, "must be host:port, separated by commas")))
      .describe("`host:port`, several separated by commas"),
    KAFKA_TLS: z
      .enum(["true", "false"])
      .default("false")
      .transform((text) => text === "true")
      .describe("Use TLS to Kafka"),
    KAFKA_CA_FILE: optional("Certificate authority, a PEM file"),
    KAFKA_SASL_MECHANISM: z
      .enum(["plain", "scram-sha-256", "scram-sha-512"])
      .optional()
      .describe("How to log in to Kafka; needs the two settings below"),
    KAFKA_SASL_USERNAME: optional("User name at Kafka"),
    KAFKA_SASL_PASSWORD: optional("Password at Kafka"),
    KAFKA_REPLICATION: whole(-1, 32_767, -1).describe(
      "Replication factor of topics that are created; -1 is the broker's default",
    ),
    KAFKA_GUEST_PRINCIPAL: optional(
      "Whom set-up permits, by ACLs, to publish usage and to read all topics, such as `User:ANONYMOUS`",
    ),
    USAGE_PARTITIONS: whole(1, 1000, 4).describe(
      "Partitions of `usage.events` when it is created; more can be added later",
    ),
    SCHEMA_REGISTRY_URL: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !hasLateSign(url), "write signs such as @ or / of a password as %40 or %2F")
      .describe("With the path of Confluent's API, such as `/apis/ccompat/v7`"),
    SCHEMA_REGISTRY_USERNAME: optional("User name at the registry"),
    SCHEMA_REGISTRY_PASSWORD: optional("Password at the registry"),
    METERING_BATCH_EVENTS: whole(1, 100_000, 80_000).describe(
      "The most events metered in one transaction",
    ),
    EVENT_MAX_AHEAD_SECONDS: seconds(DEFAULT_WINDOW.maxAheadMs, MOST_AHEAD_MS).describe(
      "How far an event may be ahead of the clock, at most a day",
    ),
    EVENT_MAX_BEHIND_SECONDS: seconds(DEFAULT_WINDOW.maxBehindMs).describe(
      "How old an event may be; 35 days by default",
    ),
    SCHEDULER_CRON: cron
      .default("* * * * *")
      .describe("When the scheduler runs, in UTC; it also runs when it starts"),
    RECONCILE_CRON: cron
      .default("30 3 * * *")
      .describe("When the scheduler proves new usage, in UTC"),
    HOUSEKEEPING_CRON: cron
      .default("20 * * * *")
      .describe("When the scheduler deletes what is past its retention, in UTC"),
    DEAD_LETTER_RETENTION: retention("13 months").describe(
      "How long dead letters are kept once they were retried or dismissed, in `days` or `months`, or `forever`",
    ),
    RECONCILIATION_RETENTION: retention("13 months").describe(
      "How long the results of the scheduler's proofs are kept, in `days` or `months`, or `forever`; the last one always is",
    ),
    USAGE_REPEAT_WINDOW: retention("36 days").describe(
      "How long a repeat of an event is found after it was metered, at least; longer than an event may be old, so that nothing is metered twice",
    ),
    USAGE_RETENTION: retention("13 months").describe(
      "How long single usage events are kept, in `days` or `months`, or `forever`: then their whole month is dropped, and its sums stay. At least two days longer than `USAGE_REPEAT_WINDOW`",
    ),
    WEBHOOK_RETENTION: retention("30 days").describe(
      "How long what was delivered to webhooks can be looked at and sent again, and what waits for a paused one is kept, in `days` or `months`, or `forever`; at least 5 days",
    ),
    WEBHOOK_ALLOW_PRIVATE: z
      .enum(["true", "false"])
      .default("false")
      .transform((text) => text === "true")
      .describe(
        "Permits webhooks over http, and to private, loopback, link-local and other addresses that are not public",
      ),
    EXPIRY_NOTICE_DAYS: whole(0, 366, 7).describe(
      "How long before a lot ends notice is given; 0 means never",
    ),
    PAYMENT_ATTEMPTS_PER_HOUR: whole(1, 1_000_000, USUAL_ATTEMPTS).describe(
      "The most times that payments of an account are tried by hand within an hour, whatever came of them: top-ups, and payment methods that are set. Beyond it, they are refused until the hour has passed (429)",
    ),
    EVENT_LOOP_LIMIT_SECONDS: whole(0, 3_600, 60).describe(
      "A process whose event loop stands still for this long ends, so that it is restarted; 0 means never",
    ),
    HEALTH_HOST: z
      .string()
      .default("127.0.0.1")
      .describe("Where a service answers `/livez` and `/readyz`"),
    HEALTH_PORT: port(0).describe("Their port; 0 means any free one, which the log says"),
    HEALTH_STALLED_SECONDS: whole(1, 3_600, 60).describe(
      "Work that has not moved for this long is reported; `/livez` asks for a restart if all servers were up for as long meanwhile",
    ),
    LOG_LEVEL: logLevel,
    OTEL_EXPORTER_OTLP_ENDPOINT: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        "Where traces are sent, by OTLP over HTTP as JSON, such as `http://collector:4318`; without it, there are none. With it, the exporter also reads the standard `OTEL_EXPORTER_OTLP_HEADERS`, `_TIMEOUT`, `_COMPRESSION`, `_CERTIFICATE` and those of `_TRACES_`",
      ),
    OTEL_TRACES_SAMPLER: z
      .enum(SAMPLERS)
      .default("parentbased_always_on")
      .describe("Which traces are kept"),
    OTEL_TRACES_SAMPLER_ARG: z.coerce
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("The share of traces that a sampler with `traceidratio` keeps, from 0 to 1"),
  })
  .superRefine((env, context) => {
    for (const name of ["DATABASE_URL", "DATABASE_OWNER_URL"] as const) {
      const url = env[name];
      const message = url === undefined ? null : databaseUrlProblem(url, env.DATABASE_TLS);
      if (message !== null) context.addIssue({ code: "custom", path: [name], message });
    }
  })
  .refine(
    (env) =>
      retentionMs(env.USAGE_REPEAT_WINDOW) >
      (env.EVENT_MAX_BEHIND_SECONDS + env.EVENT_MAX_AHEAD_SECONDS) * 1000,
    {
      path: ["USAGE_REPEAT_WINDOW"],
      message: "must be longer than EVENT_MAX_BEHIND_SECONDS and EVENT_MAX_AHEAD_SECONDS together",
    },
  )
  .refine((env) => retentionMs(env.USAGE_RETENTION) >= leastUsageMs(env.USAGE_REPEAT_WINDOW), {
    path: ["USAGE_RETENTION"],
    message:
      "must be at least two days longer than USAGE_REPEAT_WINDOW, counting its months as 31 days and the others as 28, or forever",
  })
  .refine((env) => retentionMs(env.WEBHOOK_RETENTION) >= LEAST_WEBHOOKS_MS, {
    path: ["WEBHOOK_RETENTION"],
    message: "must be at least 5 days: deliveries are retried for more than three",
  })
  .refine((env) => env.KAFKA_SASL_MECHANISM === undefined || hasBoth(env), {
    path: ["KAFKA_SASL_MECHANISM"],
    message: "needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
  })
  .superRefine((env, context) => {
    for (const [name, needed] of withoutEffect(env)) {
      context.addIssue({ code: "custom", path: [name], message: `needs ${needed}` });
    }
  });

/** What is set, and would be ignored: somebody believes in a login or in TLS that there is not. */
function withoutEffect(env: Readonly<Record<string, unknown>>): [name: string, needed: string][] {
  const pairs: [name: string, isUsed: boolean, needed: string][] = [
    ["DATABASE_CA_FILE", env["DATABASE_TLS"] !== "off", "DATABASE_TLS=verify"],
    ["KAFKA_CA_FILE", env["KAFKA_TLS"] === true, "KAFKA_TLS=true"],
    ["KAFKA_SASL_USERNAME", env["KAFKA_SASL_MECHANISM"] !== undefined, "KAFKA_SASL_MECHANISM"],
    ["KAFKA_SASL_PASSWORD", env["KAFKA_SASL_MECHANISM"] !== undefined, "KAFKA_SASL_MECHANISM"],
    [
      "SCHEMA_REGISTRY_PASSWORD",
      env["SCHEMA_REGISTRY_USERNAME"] !== undefined,
      "SCHEMA_REGISTRY_USERNAME",
    ],
  ];
  return pairs.flatMap(([name, isUsed, needed]) =>
    env[name] === undefined || isUsed ? [] : [[name, needed]],
  );
}

export type Settings = ReturnType<typeof readSettings>;

/** Lists missing and wrong settings by name, without their values, which may be secrets. */
export class InvalidSettings extends Error {}

/** Reads and validates the settings; throws InvalidSettings. */
export function readSettings(env: NodeJS.ProcessEnv) {
  const set = readEnvironment(environment, env);
  const kafka: KafkaSettings = {
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
  };
  const topics: TopicSettings = {
    replication: set.KAFKA_REPLICATION,
    usagePartitions: set.USAGE_PARTITIONS,
    guest: set.KAFKA_GUEST_PRINCIPAL ?? null,
  };
  const registry: RegistrySettings = {
    url: set.SCHEMA_REGISTRY_URL,
    auth:
      set.SCHEMA_REGISTRY_USERNAME === undefined
        ? null
        : {
            username: set.SCHEMA_REGISTRY_USERNAME,
            password: set.SCHEMA_REGISTRY_PASSWORD ?? "",
          },
  };
  const tls =
    set.DATABASE_TLS === "off"
      ? null
      : {
          rejectUnauthorized: set.DATABASE_TLS === "verify",
          ...certificate("DATABASE_CA_FILE", set.DATABASE_CA_FILE),
        };
  const traces: TraceSettings | null =
    set.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
      ? null
      : { sampler: set.OTEL_TRACES_SAMPLER, ratio: set.OTEL_TRACES_SAMPLER_ARG };
  return {
    database: { url: set.DATABASE_URL, tls },
    /** Null: the role of `database` owns the tables. */
    databaseOwner:
      set.DATABASE_OWNER_URL === undefined ? null : { url: set.DATABASE_OWNER_URL, tls },
    ...{ kafka, topics, registry },
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
      housekeepingCron: set.HOUSEKEEPING_CRON,
      retention: {
        deadLetters: set.DEAD_LETTER_RETENTION,
        reconciliations: set.RECONCILIATION_RETENTION,
        repeats: set.USAGE_REPEAT_WINDOW,
        usage: set.USAGE_RETENTION,
        webhooks: set.WEBHOOK_RETENTION,
      },
      /** 0: never. */
      noticeWithinMs: set.EXPIRY_NOTICE_DAYS * DAY_MS,
    },
    webhooks: { allowPrivate: set.WEBHOOK_ALLOW_PRIVATE },
    paymentAttemptsPerHour: set.PAYMENT_ATTEMPTS_PER_HOUR,
    /** 0: no limit. */
    eventLoopLimitMs: set.EVENT_LOOP_LIMIT_SECONDS * 1000,
    health: {
      host: set.HEALTH_HOST,
      port: set.HEALTH_PORT,
      stalledAfterMs: set.HEALTH_STALLED_SECONDS * 1000,
    },
    logLevel: set.LOG_LEVEL,
    /** Null: off. */
    traces,
  };
}

/** Reads the variables of `schema`; throws InvalidSettings. */
export function readEnvironment<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): T {
  // `X=${X:-}` in a compose file sets an empty text instead of nothing. Blanks would be the number 0.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim() !== ""));
  sayProblemsPlainly();
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const isMissing = given[name] === undefined && issue.code !== "custom";
    return `  ${name}: ${isMissing ? "is not set" : issue.message}`;
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

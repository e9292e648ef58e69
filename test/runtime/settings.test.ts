/**
 * - three settings are required, all others have a default
 * - all invalid settings are reported together, each by name
 * - no value is ever shown: some are secrets
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InvalidSettings, readSettings } from "../../shared/runtime/settings.ts";
import { tempFolder } from "../support/temp-folder.ts";

const NEEDED = {
  DATABASE_URL: "postgres://drawdown:sesame@db:5432/drawdown",
  KAFKA_BROKERS: "kafka:9092",
  SCHEMA_REGISTRY_URL: "http://registry:8081/apis/ccompat/v7",
};

test("the three required settings are enough; all others have defaults", () => {
  expect(readSettings(NEEDED)).toMatchObject({
    database: { url: NEEDED.DATABASE_URL, tls: null },
    databaseOwner: null,
    kafka: { brokers: ["kafka:9092"], tls: null, sasl: null },
    topics: { replication: -1, usagePartitions: 4, guest: null },
    registry: { url: NEEDED.SCHEMA_REGISTRY_URL, auth: null },
    metering: {
      batchEvents: 80_000,
      window: { maxAheadMs: 5 * 60_000, maxBehindMs: 35 * 24 * 60 * 60_000 },
    },
    scheduler: {
      cron: "* * * * *",
      noticeWithinMs: 7 * 24 * 60 * 60_000,
      retention: {
        deadLetters: { count: 13, unit: "month" },
        reconciliations: { count: 13, unit: "month" },
        repeats: { count: 36, unit: "day" },
      },
    },
    logLevel: "info",
    traces: null,
  });
});

describe("settings are read", () => {
  test.each<{ what: string; set: Record<string, string>; read: object }>([
    {
      what: "several brokers, with or without blanks",
      set: { KAFKA_BROKERS: "one:9092, two:9093,10.0.0.3:9094" },
      read: { kafka: { brokers: ["one:9092", "two:9093", "10.0.0.3:9094"] } },
    },
    {
      what: "traces, kept as their callers say unless a sampler is set",
      set: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" },
      read: { traces: { sampler: "parentbased_always_on", ratio: 1 } },
    },
    {
      what: "a share of traces",
      set: {
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
        OTEL_TRACES_SAMPLER: "traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.01",
      },
      read: { traces: { sampler: "traceidratio", ratio: 0.01 } },
    },
    {
      what: "Kafka with TLS and SASL",
      set: {
        KAFKA_TLS: "true",
        KAFKA_SASL_MECHANISM: "scram-sha-512",
        KAFKA_SASL_USERNAME: "metering",
        KAFKA_SASL_PASSWORD: "sesame",
      },
      read: {
        kafka: {
          tls: {},
          sasl: { mechanism: "scram-sha-512", username: "metering", password: "sesame" },
        },
      },
    },
    {
      what: "the owner of the tables, with the same TLS",
      set: { DATABASE_OWNER_URL: "postgres://owner:sesame@db/drawdown", DATABASE_TLS: "require" },
      read: {
        databaseOwner: {
          url: "postgres://owner:sesame@db/drawdown",
          tls: { rejectUnauthorized: false },
        },
      },
    },
    {
      what: "Postgres with TLS, its certificate not checked",
      set: { DATABASE_TLS: "require" },
      read: { database: { tls: { rejectUnauthorized: false } } },
    },
    {
      what: "Postgres with TLS, its certificate checked",
      set: { DATABASE_TLS: "verify", DATABASE_URL: "postgresql://db/drawdown" },
      read: { database: { tls: { rejectUnauthorized: true } } },
    },
    {
      what: "how long is kept what grows",
      set: {
        DEAD_LETTER_RETENTION: "forever",
        RECONCILIATION_RETENTION: "90 days",
        USAGE_REPEAT_WINDOW: "3 months",
        USAGE_RETENTION: "95 days",
      },
      read: {
        scheduler: {
          retention: {
            deadLetters: null,
            reconciliations: { count: 90, unit: "day" },
            repeats: { count: 3, unit: "month" },
            usage: { count: 95, unit: "day" },
          },
        },
      },
    },
    {
      what: "a registry with a password",
      set: { SCHEMA_REGISTRY_USERNAME: "metering", SCHEMA_REGISTRY_PASSWORD: "sesame" },
      read: { registry: { auth: { username: "metering", password: "sesame" } } },
    },
    {
      what: "the window in seconds",
      set: { EVENT_MAX_AHEAD_SECONDS: "0", EVENT_MAX_BEHIND_SECONDS: "3600" },
      read: { metering: { window: { maxAheadMs: 0, maxBehindMs: 3_600_000 } } },
    },
    {
      what: "when the scheduler runs, and no expiry notices",
      set: { SCHEDULER_CRON: "*/5 0-8 * * 1-5", EXPIRY_NOTICE_DAYS: "0" },
      read: { scheduler: { cron: "*/5 0-8 * * 1-5", noticeWithinMs: 0 } },
    },
    { what: "flags that are off", set: { KAFKA_TLS: "false" }, read: { kafka: { tls: null } } },
  ])("$what", ({ set, read }) => {
    expect(readSettings({ ...NEEDED, ...set })).toMatchObject(read);
  });

  test("certificates from their files", async () => {
    const file = join(await tempFolder(), "ca.pem");
    await writeFile(file, "the certificate");
    const { database, kafka } = readSettings({
      ...NEEDED,
      DATABASE_TLS: "verify",
      DATABASE_CA_FILE: file,
      KAFKA_TLS: "true",
      KAFKA_CA_FILE: file,
    });
    expect(database.tls).toEqual({ rejectUnauthorized: true, ca: "the certificate" });
    expect(kafka.tls).toEqual({ ca: "the certificate" });
  });
});

describe("an invalid setting is named, and its value is not shown:", () => {
  test.each([
    { name: "DATABASE_URL", value: "mysql://drawdown:sesame@db/drawdown" },
    { name: "DATABASE_OWNER_URL", value: "mysql://drawdown:sesame@db/drawdown" },
    { name: "DATABASE_TLS", value: "sesame" },
    { name: "KAFKA_BROKERS", value: "sesame" },
    { name: "KAFKA_BROKERS", value: "kafka:9092,sesame" },
    { name: "KAFKA_BROKERS", value: "http://kafka:9092/sesame" },
    { name: "KAFKA_TLS", value: "sesame" },
    { name: "KAFKA_SASL_MECHANISM", value: "sesame" },
    { name: "KAFKA_REPLICATION", value: "sesame" },
    { name: "KAFKA_REPLICATION", value: "-2" },
    { name: "USAGE_PARTITIONS", value: "0" },
    { name: "USAGE_PARTITIONS", value: "1.5" },
    { name: "USAGE_PARTITIONS", value: "1001" },
    { name: "SCHEMA_REGISTRY_URL", value: "registry/sesame" },
    { name: "SCHEMA_REGISTRY_URL", value: "ftp://sesame@registry" },
    { name: "METERING_BATCH_EVENTS", value: "0" },
    { name: "EVENT_MAX_AHEAD_SECONDS", value: "-1" },
    { name: "EVENT_MAX_BEHIND_SECONDS", value: "a sesame" },
    { name: "EVENT_MAX_BEHIND_SECONDS", value: "Infinity" },
    { name: "SCHEDULER_CRON", value: "sesame" },
    { name: "SCHEDULER_CRON", value: "61 * * * *" },
    { name: "EXPIRY_NOTICE_DAYS", value: "-1" },
    { name: "EXPIRY_NOTICE_DAYS", value: "0.5" },
    { name: "DEAD_LETTER_RETENTION", value: "0 days" },
    { name: "RECONCILIATION_RETENTION", value: "a while" },
    { name: "USAGE_REPEAT_WINDOW", value: "35 days" },
    { name: "USAGE_REPEAT_WINDOW", value: "1 month" },
    { name: "USAGE_RETENTION", value: "37 days" },
    { name: "USAGE_RETENTION", value: "1 month" },
    { name: "LOG_LEVEL", value: "sesame" },
    { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "grpc://sesame@collector:4317" },
    { name: "OTEL_TRACES_SAMPLER", value: "sesame" },
    { name: "OTEL_TRACES_SAMPLER_ARG", value: "1.01" },
  ])("$name=$value", ({ name, value }) => {
    const message = complaintAbout({ ...NEEDED, [name]: value });
    expect(message).toContain(`  ${name}`);
    expect(message).not.toContain("sesame");
  });

  test("USAGE_RETENTION, where repeats are found for longer", () => {
    const says =
      "USAGE_RETENTION: must be at least two days longer than USAGE_REPEAT_WINDOW, counting its months as 31 days and the others as 28, or forever";
    const window = { ...NEEDED, USAGE_REPEAT_WINDOW: "3 months" };
    expect(complaintAbout({ ...window, USAGE_RETENTION: "3 months" })).toContain(says);
    expect(complaintAbout({ ...NEEDED, USAGE_REPEAT_WINDOW: "forever" })).toContain(says);
    const forever = { USAGE_REPEAT_WINDOW: "forever", USAGE_RETENTION: "forever" };
    expect(readSettings({ ...NEEDED, ...forever })).toMatchObject({
      scheduler: { retention: { repeats: null, usage: null } },
    });
  });

  test("all of them together", () => {
    expect(complaintAbout({ KAFKA_BROKERS: "kafka:9092", LOG_LEVEL: "loud" })).toBe(
      [
        "Settings in the environment are not usable:",
        "  DATABASE_URL: is not set",
        "  SCHEMA_REGISTRY_URL: is not set",
        "  LOG_LEVEL: must be one of trace, debug, info, warn, error, silent",
      ].join("\n"),
    );
  });

  test.each(["kafka", "kafka:65536", "one:9092,two:99999"])(
    "a broker %s, with the reason",
    (list) => {
      expect(complaintAbout({ ...NEEDED, KAFKA_BROKERS: list })).toContain(
        "KAFKA_BROKERS: must be host:port, separated by commas",
      );
    },
  );

  test.each([
    "postgres://u:sesame@db:99999/books",
    "postgres://u:sesame@[::1/books",
    "postgres://u:open@sesame/17@db:5432/books",
    "postgres://sesame?17@db:5432/books",
    "postgres://sesame:17#u@db:5432/books",
  ])(
    "a database's URL that is none, or of which a part of the password would be the host: %s",
    (url) => {
      const message = complaintAbout({ ...NEEDED, DATABASE_URL: url });
      expect(message).toContain("DATABASE_URL: is no URL");
      expect(message).not.toContain("sesame");
    },
  );

  test.each([
    { set: { USAGE_PARTITIONS: "1.5" }, says: "USAGE_PARTITIONS: must be a whole number$" },
    {
      set: { SCHEMA_REGISTRY_URL: "registry" },
      says: "SCHEMA_REGISTRY_URL: must be a URL such as",
    },
  ])("$set, in plain words", ({ set, says }) => {
    expect(complaintAbout({ ...NEEDED, ...set })).toMatch(new RegExp(says, "m"));
  });

  test("a registry's URL of which a part of the password would be the host", () => {
    const url = "http://u:open@sesame/17@registry:8081";
    const message = complaintAbout({ ...NEEDED, SCHEMA_REGISTRY_URL: url });
    expect(message).toContain("SCHEMA_REGISTRY_URL: write signs such as @");
    expect(message).not.toContain("sesame");
  });

  test("a time of a scheduler whose ranges would take seconds to count", () => {
    const before = process.cpuUsage();
    expect(complaintAbout({ ...NEEDED, SCHEDULER_CRON: "*/5 0-8 * * 1-5555555" })).toContain(
      "SCHEDULER_CRON: must be a cron expression",
    );
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });

  test.each([
    { what: "neither", set: {} },
    { what: "no password", set: { KAFKA_SASL_USERNAME: "metering" } },
    { what: "no user name", set: { KAFKA_SASL_PASSWORD: "sesame" } },
  ])("SASL with $what", ({ set }) => {
    const message = complaintAbout({ ...NEEDED, KAFKA_SASL_MECHANISM: "plain", ...set });
    expect(message).toContain(
      "KAFKA_SASL_MECHANISM: needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    );
    expect(message).not.toContain("sesame");
  });

  test.each([
    { name: "KAFKA_CA_FILE", set: { KAFKA_TLS: "false" }, needed: "KAFKA_TLS=true" },
    { name: "DATABASE_CA_FILE", set: {}, needed: "DATABASE_TLS=verify" },
    { name: "KAFKA_SASL_USERNAME", set: {}, needed: "KAFKA_SASL_MECHANISM" },
    { name: "KAFKA_SASL_PASSWORD", set: {}, needed: "KAFKA_SASL_MECHANISM" },
    { name: "SCHEMA_REGISTRY_PASSWORD", set: {}, needed: "SCHEMA_REGISTRY_USERNAME" },
  ])("$name without what it is for, which would be ignored", ({ name, set, needed }) => {
    const message = complaintAbout({ ...NEEDED, ...set, [name]: "sesame" });
    expect(message).toContain(`${name}: needs ${needed}`);
    expect(message).not.toContain("sesame");
  });

  test("a certificate's file that cannot be read", () => {
    const message = complaintAbout({
      ...NEEDED,
      DATABASE_TLS: "verify",
      DATABASE_CA_FILE: "/no/ca",
    });
    expect(message).toContain("DATABASE_CA_FILE: cannot read /no/ca: ENOENT");
  });
});

describe("nothing in the database's URL wins over a setting:", () => {
  test.each([
    ...["require", "verify"].flatMap((tls) =>
      [
        ...["sslmode=disable", "sslmode=no-verify", "sslmode=verify-full", "ssl=0", "ssl=false"],
        ...["sslrootcert=/ca", "sslcert=/c", "sslkey=/k", "uselibpqcompat=true", "x=1&ssl=1"],
        ...["%73slmode=disable", "sslnegotiation=direct"],
      ].map((query) => ({ tls, query, says: `which overrides DATABASE_TLS=${tls}` })),
    ),
    { tls: "off", query: "options=-c%20x", says: "the parameter options, which replaces" },
    { tls: "off", query: "client_encoding=latin1", says: "the parameter client_encoding" },
    { tls: "verify", query: "host=a,b", says: "names several hosts" },
  ])("?$query under DATABASE_TLS=$tls is refused", ({ tls, query, says }) => {
    const url = `postgres://drawdown:sesame@db/drawdown?${query}`;
    const message = complaintAbout({ ...NEEDED, DATABASE_URL: url, DATABASE_TLS: tls });
    expect(message).toContain(`  DATABASE_URL: `);
    expect(message).toContain(says);
    expect(message).not.toContain("sesame");
  });

  test.each(["postgres://u:p@one,two/db", "postgres://one:5432,two:5433/db"])(
    "%s names several hosts and is refused",
    (url) => expect(complaintAbout({ ...NEEDED, DATABASE_URL: url })).toContain("several hosts"),
  );

  test.each([
    { tls: "off", url: "postgres://u:a,b@db/drawdown?sslmode=require" },
    { tls: "verify", url: "postgres://u:p@db/drawdown?connect_timeout=5" },
    { tls: "verify", url: "postgres://u:p@db/sslmode=disable" },
    { tls: "off", url: "postgres://u:p@/drawdown?host=/run/postgresql" },
  ])("$url under DATABASE_TLS=$tls is taken", ({ tls, url }) => {
    const { database } = readSettings({ ...NEEDED, DATABASE_URL: url, DATABASE_TLS: tls });
    expect(database.url).toBe(url);
  });
});

describe("an empty setting, or one of blanks, counts as unset:", () => {
  test.each(["EVENT_MAX_AHEAD_SECONDS", "EVENT_LOOP_LIMIT_SECONDS", "KAFKA_REPLICATION"])(
    "%s",
    (name) => {
      expect(readSettings({ ...NEEDED, [name]: "" })).toEqual(readSettings(NEEDED));
      expect(readSettings({ ...NEEDED, [name]: " \t" })).toEqual(readSettings(NEEDED));
    },
  );
});

/** The message of the error for these settings. */
function complaintAbout(env: Record<string, string>): string {
  try {
    readSettings(env);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidSettings);
    return (error as Error).message;
  }
  throw new Error("the settings were taken");
}

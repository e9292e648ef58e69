/** Settings from any environment are read, or refused by name without a value; an accepted URL sets nothing else. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { databaseUrlProblem } from "../../shared/runtime/database-url.ts";
import { environment, InvalidSettings, readSettings } from "../../shared/runtime/settings.ts";
import { fuzzing } from "./budget.ts";
import { inTime, refusalOf } from "./in-time.ts";
import { mutantTextsOf } from "./mutants.ts";

const PASSWORD = "sesame-open";
const NEEDED = {
  DATABASE_URL: `postgres://drawdown:${PASSWORD}@db:5432/drawdown`,
  KAFKA_BROKERS: "kafka:9092,10.0.0.3:9094",
  SCHEMA_REGISTRY_URL: `http://registry:${PASSWORD}@registry:8081/apis/ccompat/v7`,
};
const OTHERS = {
  ...{ DATABASE_OWNER_URL: NEEDED.DATABASE_URL, DATABASE_TLS: "verify", KAFKA_TLS: "true" },
  ...{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: PASSWORD },
  ...{ KAFKA_REPLICATION: "3", USAGE_PARTITIONS: "12", METERING_BATCH_EVENTS: "80000" },
  ...{ EVENT_MAX_AHEAD_SECONDS: "300", EVENT_MAX_BEHIND_SECONDS: "3024000" },
  ...{ USAGE_REPEAT_WINDOW: "36 days", USAGE_RETENTION: "13 months" },
  ...{ DEAD_LETTER_RETENTION: "forever", EXPIRY_NOTICE_DAYS: "7", LOG_LEVEL: "info" },
};
const words = ["99999999999999999999", "1e3", "Infinity", "-1", "0x10", "@", "?", "#", "//", "&"];
const entry = fc
  .constantFrom(...Object.entries({ ...NEEDED, ...OTHERS }))
  .chain(([name, value]) =>
    fc.tuple(
      fc.constant(name),
      fc.oneof(fc.constant(value), mutantTextsOf(fc.constant(value), words)),
    ),
  );
const changed = fc.uniqueArray(entry, { maxLength: 4, selector: ([name]) => name });

test("any environment", () => {
  fc.assert(
    fc.property(changed, (entries) => {
      const env = { ...NEEDED, ...Object.fromEntries(entries) };
      const refusal = refusalOf(InvalidSettings, () => readSettings(env));
      if (refusal === null) return;
      const named = Object.keys(environment.shape).filter((name) => refusal.message.includes(name));
      expect(named.length).toBeGreaterThan(0);
      expect(refusal.message).not.toContain(PASSWORD);
    }),
    fuzzing(),
  );
});

test("any URL of a database", () => {
  const queries = fc.constantFrom(
    "",
    "?sslmode=disable",
    "?host=a,b",
    "?options=-c%20x",
    "?a=1&ssl=0",
  );
  const url = mutantTextsOf(
    queries.map((query) => NEEDED.DATABASE_URL + query),
    words,
  );
  fc.assert(
    fc.property(url, fc.constantFrom("off", "require", "verify"), (text, tls) => {
      const problem = inTime(() => databaseUrlProblem(text, tls));
      if (problem !== null) expect(problem).not.toContain(PASSWORD);
    }),
    fuzzing(),
  );
});

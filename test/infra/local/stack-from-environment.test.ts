import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { stackFromEnvironment } from "../../../infra/local/stack-from-environment.ts";

const ALL = {
  DATABASE_URL: "postgresql://db.example:5432/drawdown",
  KAFKA_BROKERS: "kafka.example:9092",
  SCHEMA_REGISTRY_URL: "http://registry.example:8081",
};

test("with all three set, those servers are used", () => {
  expect(stackFromEnvironment({ ...ALL, HOME: "elsewhere" })?.env).toEqual(ALL);
});

test("npm start says that they are, before it fails on them", () => {
  const away = { DATABASE_URL: "postgresql://127.0.0.1:1/drawdown", KAFKA_BROKERS: "127.0.0.1:1" };
  const env = { ...process.env, ...away, SCHEMA_REGISTRY_URL: "http://127.0.0.1:1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["infra/local/main.ts"], {
    ...{ env, encoding: "utf8", timeout: 20_000 },
  });
  expect([status, stdout]).toEqual([1, expect.stringMatching(/^DATABASE_URL, .* are set: those/)]);
  expect(stderr).toContain("ECONNREFUSED");
});

test("with none set, there is no stack to use", () => {
  expect(stackFromEnvironment({ HOME: "elsewhere" })).toBeUndefined();
});

test("with some set, the error names the missing ones", () => {
  expect(() => stackFromEnvironment({ DATABASE_URL: ALL.DATABASE_URL })).toThrow(
    "KAFKA_BROKERS and SCHEMA_REGISTRY_URL are not",
  );
  expect(() => stackFromEnvironment({ ...ALL, KAFKA_BROKERS: "" })).toThrow("KAFKA_BROKERS is not");
});

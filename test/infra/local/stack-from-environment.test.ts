import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stackFromEnvironment } from "../../../infra/local/stack-from-environment.ts";
import { tempFolder } from "../../support/temp-folder.ts";

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

test("those of a file that npm start has written are no others, whichever start's password they have", async () => {
  const file = join(await tempFolder(), "servers.sh");
  const database = ALL.DATABASE_URL.replace("//", "//user:of-this-start@");
  const lines = Object.entries({ ...ALL, DATABASE_URL: database }).map(
    ([name, value]) => `export ${name}=${value}`,
  );
  await writeFile(file, `${lines.join("\n")}\n`);
  const before = { ...ALL, DATABASE_URL: database.replace("of-this-start", "before") };
  expect(stackFromEnvironment(before, file)).toBeUndefined();
  const others = { ...before, KAFKA_BROKERS: "kafka:9092" };
  expect(stackFromEnvironment(others, file)?.env).toEqual(others);
});

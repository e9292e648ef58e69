import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findJava, findMaven, javaVersion } from "../../../infra/local/find-java.ts";
import { tempFolder, writeProgram } from "../../support/temp-folder.ts";

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_392"', 8],
  ["no version at all", undefined],
])("%s is read as Java %s", (said, version) => {
  expect(javaVersion(said)).toBe(version);
});

test("without Java the error says what to install and what to do instead", async () => {
  const environment = { PATH: await tempFolder() };
  await expect(findJava(environment)).rejects.toThrow(
    /^Java is missing\. Install Java 17 or newer .* or set DATABASE_URL/,
  );
});

test("an outdated Java is named with its version", async () => {
  const folder = await tempFolder();
  await writeProgram(join(folder, "java"), `echo 'openjdk version "11.0.2"' >&2`);
  await expect(findJava({ PATH: folder })).rejects.toThrow(
    /^Java 11 is too old for Kafka\. Install Java 17 or newer/,
  );
});

test("JAVA_HOME takes precedence over the PATH", async () => {
  const home = await tempFolder();
  await mkdir(join(home, "bin"));
  await writeProgram(join(home, "bin", "java"), `echo 'openjdk version "21.0.1"' >&2`);
  expect(await findJava({ JAVA_HOME: home, PATH: "" })).toBe(join(home, "bin", "java"));
});

test("a JAVA_HOME without Java is named", async () => {
  const home = await tempFolder();
  await expect(findJava({ JAVA_HOME: home })).rejects.toThrow(`JAVA_HOME is ${home}, but`);
});

test("without Maven the error says what it is for and what to install", async () => {
  const environment = { PATH: await tempFolder() };
  await expect(findMaven(environment)).rejects.toThrow(/^Maven is missing; .* Install Maven/);
});

import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { fetchParts } from "../../../infra/local/fetch-parts.ts";
import { tempFolder, writeProgram } from "../../support/temp-folder.ts";

/** The output folder passed to Maven. */
const OUTPUT = `for word in "$@"; do case "$word" in -Doutput=*) output="\${word#-Doutput=}" ;; esac; done`;

const DOWNLOADS = `touch "$output/kafka_2.13-4.3.1.jar" "$output/apicurio-registry-app-3.0.9-runner.jar"`;

test("what was fully downloaded is used at the next start, without Maven", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}`);
  const parts = await fetchParts(partsDir, () => undefined);
  expect(await readdir(parts.kafka)).toContain("kafka_2.13-4.3.1.jar");

  await putMavenOnPath("exit 1");
  expect(await fetchParts(partsDir, () => undefined)).toEqual(parts);
});

test("an interrupted download is an error with the remedy, and is not used", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}\necho "[ERROR] Failed to transfer file"\nexit 1`);
  await expect(fetchParts(partsDir, () => undefined)).rejects.toThrow(
    /Kafka .* could not be fetched: \[ERROR\] Failed to transfer file\nCheck the network .* start again/,
  );
  expect(await partsIn(partsDir)).toEqual([]);
});

test("a successful download without a file is not used", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath("exit 0");
  await expect(fetchParts(partsDir, () => undefined)).rejects.toThrow(/could not be fetched/);
  expect(await partsIn(partsDir)).toEqual([]);
});

test("a successful start after a failure leaves nothing of the failed one", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath("exit 1");
  await expect(fetchParts(partsDir, () => undefined)).rejects.toThrow(/could not be fetched/);
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}`);
  await fetchParts(partsDir, () => undefined);
  expect(await partsIn(partsDir)).toEqual(["apicurio-registry-3.0.9", "kafka-4.3.1"]);
});

async function putMavenOnPath(script: string): Promise<void> {
  const folder = await tempFolder();
  const answersVersion = `[ "$1" = "-version" ] && exit 0`;
  await writeProgram(join(folder, "mvn"), `${answersVersion}\n${script}`);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"] ?? ""}`);
  onTestFinished(() => void vi.unstubAllEnvs());
}

async function partsIn(partsDir: string): Promise<string[]> {
  const names = await readdir(partsDir);
  return names.filter((name) => name !== "logs" && name !== "pids").sort();
}

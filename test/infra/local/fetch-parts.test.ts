import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { fetchParts, type Parts } from "../../../infra/local/fetch-parts.ts";
import { readList, sha256 } from "../../../infra/local/verify-checksums.ts";
import { tempFolder, writeProgram } from "../../support/temp-folder.ts";

/** The output folder passed to Maven. */
const OUTPUT = `for word in "$@"; do case "$word" in -Doutput=*) output="\${word#-Doutput=}" ;; esac; done`;

const KAFKA_JAR = "kafka_2.13-4.3.1.jar";
const REGISTRY_JAR = "apicurio-registry-app-3.0.9-runner.jar";
/** Maven's notes are no part of it. */
const DOWNLOADS = `mkdir -p "$output/.maven" "$output/lib"; touch "$output/.maven/note"
case "$*" in
  *@kafka*) printf jar > "$output/${KAFKA_JAR}" ;;
  *) printf jar > "$output/${REGISTRY_JAR}"; printf other > "$output/lib/a.jar" ;;
esac`;
const sumOf = (content: string) => createHash("sha256").update(content).digest("hex");

test("what was fully downloaded is used at the next start, without Maven", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}`);
  const parts = await fetch(partsDir);
  expect(await readdir(parts.kafka)).toContain("kafka_2.13-4.3.1.jar");

  await putMavenOnPath("exit 1");
  expect(await fetch(partsDir)).toEqual(parts);
});

test.each([
  { how: "was changed", spoil: KAFKA_JAR, said: `another ${KAFKA_JAR} (SHA-256 ${sumOf("x")})` },
  { how: "has another file", spoil: "evil.jar", said: "has evil.jar, which it should not" },
])("what $how since it was downloaded is refused at the next start, and named", async (row) => {
  const partsDir = await tempFolder();
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}`);
  const { kafka } = await fetch(partsDir);
  await writeFile(join(kafka, row.spoil), "x");
  const refused = await fetch(partsDir).catch((error: Error) => error.message);
  expect(refused).toContain(row.said);
  expect(refused).toContain("Delete the folder, and start again");

  await rm(kafka, { recursive: true });
  await fetch(partsDir);
});

test("an interrupted download is an error with the remedy, and is not used", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}\necho "[ERROR] Failed to transfer file"\nexit 1`);
  await expect(fetch(partsDir)).rejects.toThrow(
    /Kafka .* could not be fetched: \[ERROR\] Failed to transfer file\nCheck the network .* start again/,
  );
  expect(await partsIn(partsDir)).toEqual([]);
});

test.each([
  {
    how: "with another file",
    spoils: `printf x > "$output/${KAFKA_JAR}"`,
    said: `another ${KAFKA_JAR} (SHA-256 ${sumOf("x")})`,
  },
  {
    how: "with a file more",
    spoils: `printf x > "$output/evil.jar"`,
    said: "has evil.jar, which it should not",
  },
  { how: "without a file", spoils: `rm "$output/${KAFKA_JAR}"`, said: `lacks ${KAFKA_JAR}` },
  {
    how: "with a link for a file",
    spoils: `ln -sf /etc/hostname "$output/evil.jar"`,
    said: "has evil.jar",
  },
])("a download $how than the list has is refused and deleted", async ({ spoils, said }) => {
  const partsDir = await tempFolder();
  const keeps = `mkdir -p "${partsDir}/maven-repository/org"`;
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}\n${keeps}\n${spoils}`);
  const refused = await fetch(partsDir).catch((error: Error) => error.message);
  expect(refused).toContain("Apache Kafka 4.3.1 is refused");
  expect(refused).toContain(said);
  expect(await partsIn(partsDir)).toEqual([]);

  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}`);
  await fetch(partsDir);
  expect(await partsIn(partsDir)).toEqual(["apicurio-registry-3.0.9", "kafka-4.3.1"]);
});

test("Maven itself is told to refuse what does not match the repository's checksums", async () => {
  const partsDir = await tempFolder();
  const strict = `case "$*" in *--strict-checksums*) ;; *) exit 1 ;; esac`;
  await putMavenOnPath(`${OUTPUT}\n${strict}\n${DOWNLOADS}`);
  await fetch(partsDir);
});

test.runIf(process.platform === "linux")(
  "the Node that npm fetched is that of the list",
  async () => {
    const list = await readList(join(CHECKSUMS, "node.sha256"));
    const name = `node-${process.platform}-${process.arch}/bin/node`;
    const fetched = resolve(import.meta.dirname, "../../../node_modules/node/bin/node");
    expect([list.get(name), existsSync(fetched)]).toEqual([await sha256(fetched), true]);
  },
);

test("a successful start after a failure leaves nothing of the failed one", async () => {
  const partsDir = await tempFolder();
  await putMavenOnPath("exit 1");
  await expect(fetch(partsDir)).rejects.toThrow(/could not be fetched/);
  await putMavenOnPath(`${OUTPUT}\n${DOWNLOADS}`);
  await fetch(partsDir);
  expect(await partsIn(partsDir)).toEqual(["apicurio-registry-3.0.9", "kafka-4.3.1"]);
});

const CHECKSUMS = resolve(import.meta.dirname, "../../../infra/local/checksums");

/** Fetches what DOWNLOADS makes, of which the lists are. */
async function fetch(partsDir: string): Promise<Parts> {
  const checksums = await tempFolder();
  const lists = {
    "kafka-4.3.1.sha256": [[KAFKA_JAR, "jar"]],
    "apicurio-registry-3.0.9.sha256": [
      [REGISTRY_JAR, "jar"],
      ["lib/a.jar", "other"],
    ],
  };
  for (const [file, lines] of Object.entries(lists)) {
    const text = lines.map(([name = "", content = ""]) => `${sumOf(content)}  ${name}\n`);
    await writeFile(join(checksums, file), text);
  }
  return fetchParts(partsDir, () => undefined, checksums);
}

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

import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { SingleBar } from "cli-progress";
import { stopWithProcess } from "../../shared/runtime/stop-with-process.ts";
import { runToEnd } from "./child-process.ts";
import { findMaven } from "./find-java.ts";
import { verifyChecksums, WrongChecksum } from "./verify-checksums.ts";

const KAFKA_VERSION = "4.3.1";
const REGISTRY_VERSION = "3.0.9";

export interface Parts {
  /** A folder of jars. */
  readonly kafka: string;
  /** The folder of the registry's runner jar and its libraries. */
  readonly registry: string;
}

/** Maven's notes on what it unpacked (pom.xml). */
const MARKERS = ".maven";

interface Part {
  readonly folder: string;
  readonly title: string;
  readonly goal: string;
  readonly downloadBytes: number;
}

const KAFKA: Part = {
  folder: `kafka-${KAFKA_VERSION}`,
  title: `Apache Kafka ${KAFKA_VERSION}`,
  goal: "dependency:copy-dependencies@kafka",
  downloadBytes: 66_000_000,
};
const REGISTRY: Part = {
  folder: `apicurio-registry-${REGISTRY_VERSION}`,
  title: `Apicurio Registry ${REGISTRY_VERSION}`,
  goal: "dependency:unpack@registry",
  downloadBytes: 109_000_000,
};

/** For each part a list of its files with their SHA-256, as `sha256sum` writes and checks it. */
const CHECKSUMS = join(import.meta.dirname, "checksums");

/**
 * Fetches Kafka and the registry with Maven into `partsDir` unless they exist. A part's folder is
 * renamed when complete and verified; one that is there is verified again, which takes under half a second for
 * both. Maven's downloads are kept until the end, so a start after a failure resumes; those of a part that is not
 * what it should be are deleted.
 */
export async function fetchParts(
  partsDir: string,
  say: (line: string) => void,
  checksums = CHECKSUMS,
): Promise<Parts> {
  const missing = await without(partsDir, [KAFKA, REGISTRY]);
  const there = [KAFKA, REGISTRY].filter((part) => !missing.includes(part));
  await Promise.all(there.map((part) => verifyAgain(part, join(partsDir, part.folder), checksums)));
  if (missing.length > 0) {
    const maven = await findMaven(process.env);
    for (const part of missing) await fetchPart(maven, part, { partsDir, checksums }, say);
    await rm(repositoryOf(partsDir), { recursive: true, force: true });
  }
  return partsIn(partsDir);
}

/** Where they are once they are fetched. */
export function partsIn(partsDir: string): Parts {
  return { kafka: join(partsDir, KAFKA.folder), registry: join(partsDir, REGISTRY.folder) };
}

async function verifyAgain(part: Part, folder: string, checksums: string): Promise<void> {
  try {
    await verify(part, folder, checksums);
  } catch (error) {
    if (!(error instanceof WrongChecksum)) throw error;
    throw new Error(
      [
        `${part.title} is refused: ${folder} is not what infra/local/checksums/${part.folder}.sha256 lists. It ${error.message}.`,
        "Something has changed it since it was fetched, and nothing of it has run. Delete the folder, and start again: it is fetched anew.",
      ].join("\n"),
      { cause: error },
    );
  }
}

async function verify(part: Part, folder: string, checksums: string): Promise<void> {
  await rm(join(folder, MARKERS), { recursive: true, force: true });
  await verifyChecksums(folder, join(checksums, `${part.folder}.sha256`));
}

async function fetchPart(
  maven: string,
  part: Part,
  { partsDir, checksums }: { readonly partsDir: string; readonly checksums: string },
  say: (line: string) => void,
): Promise<void> {
  const whole = join(partsDir, part.folder);
  const partial = `${whole}.partial-${process.pid}`;
  const repository = repositoryOf(partsDir);
  await mkdir(partial, { recursive: true });
  say(`Fetching ${part.title} (${megabytes(part.downloadBytes)} MB, once) into ${whole}`);
  const settings = [
    `-Dkafka.version=${KAFKA_VERSION}`,
    `-Dregistry.version=${REGISTRY_VERSION}`,
    `-Dmaven.repo.local=${repository}`,
    `-Doutput=${partial}`,
  ];
  const pom = join(import.meta.dirname, "pom.xml");
  const download = runToEnd({
    name: `fetch-${part.folder}`,
    command: maven,
    args: ["--batch-mode", "--strict-checksums", "--file", pom, part.goal, ...settings],
    env: javaHome(),
    dataDir: partsDir,
  });
  try {
    await showProgress(download, repository, part.downloadBytes);
    await verify(part, partial, checksums);
    await rename(partial, whole);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if ((await without(partsDir, [part])).length === 0) return; // another start was faster
    if (error instanceof WrongChecksum) {
      await rm(repository, { recursive: true, force: true });
      throw new Error(refusal(part, error), { cause: error });
    }
    throw new Error(await explain(part, partsDir), { cause: error });
  }
}

function refusal({ title, folder }: Part, { message }: WrongChecksum): string {
  return [
    `${title} is refused: what was downloaded is not what infra/local/checksums/${folder}.sha256 lists. It ${message}.`,
    "It has been deleted, and nothing of it has run. A mirror or proxy between here and Maven Central may have changed it: look at Maven's settings, and start again.",
  ].join("\n");
}

/** Maven reports no progress, so it is measured on the disk. */
async function showProgress(
  download: Promise<void>,
  repository: string,
  total: number,
): Promise<void> {
  const before = await sizeOf(repository);
  const bar = new SingleBar({
    format: "  [{bar}] {percentage} % of {megabytes} MB, {duration_formatted}",
  });
  let done = false;
  const finished = download.finally(() => {
    done = true;
  });
  finished.catch(() => undefined); // awaited below, once the bar is off the screen
  const release = stopWithProcess(() => bar.stop());
  bar.start(total, 0, { megabytes: megabytes(total) });
  while (!done) {
    await Promise.race([finished, wait(250)]).catch(() => undefined);
    bar.update(Math.min((await sizeOf(repository)) - before, total * 0.99));
  }
  try {
    await finished;
    bar.update(total);
  } finally {
    release();
    bar.stop();
  }
}

async function explain(part: Part, partsDir: string): Promise<string> {
  const log = join(partsDir, "logs", `fetch-${part.folder}.log`);
  const output = await readFile(log, "utf8").catch(() => "");
  const reason = output
    .split("\n")
    .find((line) => line.includes("ERROR") && line.includes("Failed"));
  return [
    `${part.title} could not be fetched${reason === undefined ? "" : `: ${reason}`}`,
    `Check the network and Maven's proxy or mirror settings, and start again: the download resumes. Maven's log is ${log}.`,
  ].join("\n");
}

async function without(partsDir: string, parts: readonly Part[]): Promise<Part[]> {
  const there = new Set(await readdir(partsDir).catch(() => []));
  return parts.filter((part) => !there.has(part.folder));
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => {
      const known = await stat(join(file.parentPath, file.name)).catch(() => undefined);
      return known?.size ?? 0; // a file may be renamed between the two calls
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function repositoryOf(partsDir: string): string {
  return join(partsDir, "maven-repository");
}

function javaHome(): Record<string, string> {
  const home = process.env["JAVA_HOME"];
  return home === undefined ? {} : { JAVA_HOME: home };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}

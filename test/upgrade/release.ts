import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import lastRelease from "../../infra/last-release.json" with { type: "json" };
import { SERVICES } from "../../infra/local/services.ts";
import type { Service } from "../../infra/local/supervise-services.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
/** Below the project, so that its packages are found: those of a release are among them. */
const FOLDER = join(PROJECT, ".local", "releases");
const PARTS = ["infra", "packages", "schemas", "services", "shared", "package.json"];

const run = promisify(execFile);

/** A version's sources. */
export interface Release {
  readonly commit: string;
  readonly folder: string;
  readonly newestMigration: string;
}

/** The commit is not in this clone, as in a shallow one. */
export class NoRelease extends Error {}

/** Unpacks a commit, by default the last release, once. Throws NoRelease, which says what to do. */
export async function unpackRelease(commit = lastRelease.commit): Promise<Release> {
  const git = (...args: string[]) => run("git", args, { cwd: PROJECT });
  const named = await git("rev-parse", "--verify", `${commit}^{commit}`).catch(() => null);
  if (named === null) {
    throw new NoRelease(
      `commit ${commit} (infra/last-release.json) is not in this clone: git fetch --unshallow gets it`,
    );
  }
  const hash = named.stdout.trim();
  const folder = join(FOLDER, hash);
  const { stdout } = await git("ls-tree", "--name-only", hash, "infra/postgres/migrations/");
  const newest = stdout.trim().split("\n").at(-1) ?? "";
  const release = { commit: hash, folder, newestMigration: newest.replace(/^.*\/|\.sql$/g, "") };
  if ((await stat(folder).catch(() => null)) !== null) return release;
  await mkdir(FOLDER, { recursive: true });
  const partial = await mkdtemp(`${folder}-`);
  try {
    await run("sh", ["-c", `git archive ${hash} ${PARTS.join(" ")} | tar -x -C ${partial}`], {
      cwd: PROJECT,
    });
    // Another run may have put it there meanwhile.
    await rename(partial, folder).catch(() => undefined);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return release;
}

/** A service of a release; null: it had none of that name. */
export async function serviceOf(release: Release, { name }: Service): Promise<Service | null> {
  const file = join(release.folder, "services", name, "main.ts");
  if ((await stat(file).catch(() => null)) === null) return null;
  return { ...SERVICES.find((service) => service.name === name), name, file };
}

/** Runs a file of a release to its end, with these arguments; returns what it prints. */
export async function runOf(
  { folder }: Release,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { stdout } = await run(process.execPath, [join(folder, file), ...args], { env });
  return stdout;
}

/** The schema of usage events that producers of a release publish with. */
export async function usageSchemaOf({ folder }: Pick<Release, "folder">): Promise<string> {
  return await readFile(join(folder, "schemas", "usage-event.avsc"), "utf8");
}

/** This version. */
export const THIS: Pick<Release, "folder"> = { folder: PROJECT };

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
/** Python compiles what it imports, a small part of what is installed. */
const PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"];

/** Why a test is skipped where `installPython` finds no Python. */
export const NO_PYTHON = "Python 3 with venv and pip is not here";

/**
 * A Python under .local/ with these packages; null where there is no Python 3. Each caller has one of
 * its own name, which is installed once for the same packages.
 */
export async function installPython(
  name: string,
  packages: readonly string[],
): Promise<string | null> {
  const folder = join(REPOSITORY, ".local", name);
  const python = join(folder, "bin/python");
  const list = join(folder, "installed.txt");
  const wanted = packages.join("\n");
  if ((await readFile(list, "utf8").catch(() => null)) === wanted) return python;
  try {
    await run("python3", ["-c", "import ensurepip, venv"]);
  } catch {
    return null;
  }
  await run("python3", ["-m", "venv", folder]);
  await run(python, [...PIP, ...packages]);
  await writeFile(list, wanted);
  return python;
}

/** What the consumer in examples/ needs. */
export async function examplePackages(): Promise<string[]> {
  const file = join(REPOSITORY, "examples/consumer-python/requirements.txt");
  return (await readFile(file, "utf8")).trimEnd().split("\n");
}

import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];

/**
 * A Python under .local/ with what the consumer in examples/ needs; null where there is no Python 3. Each
 * caller has one of its own name.
 */
export async function installPython(name: string): Promise<string | null> {
  const requirements = join(REPOSITORY, "examples/consumer-python/requirements.txt");
  const folder = join(REPOSITORY, ".local", name);
  try {
    await run("python3", ["-c", "import ensurepip, venv"]);
  } catch {
    return null;
  }
  const python = join(folder, "bin/python");
  await run("python3", ["-m", "venv", folder]);
  await run(python, [...PIP, "-r", requirements]);
  return python;
}

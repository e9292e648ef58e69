import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const COMPILE = [
  ...["--ignoreConfig", "--noCheck", "--skipLibCheck", "--types", "node", "--target", "esnext"],
  ...["--module", "nodenext", "--rewriteRelativeImportExtensions", "--rootDir", REPOSITORY],
];

/** Copies the examples to a folder, where they find the package as `npm install` would put it. */
export async function installExamples(folder: string): Promise<void> {
  const target = join(folder, "node_modules/drawdown");
  await mkdir(target, { recursive: true });
  await cp(join(REPOSITORY, "package.json"), join(target, "package.json"));
  await cp(join(REPOSITORY, "schemas"), join(target, "dist/schemas"), { recursive: true });
  const clients = ["usage-client.ts", "api-client.ts"].map((name) =>
    join(REPOSITORY, "shared/client", name),
  );
  const tsc = join(REPOSITORY, "node_modules/typescript/bin/tsc");
  const args = [tsc, ...clients, ...COMPILE, "--outDir", join(target, "dist")];
  await run(process.execPath, args, { cwd: REPOSITORY });
  await cp(join(REPOSITORY, "examples"), folder, { recursive: true });
}

const PYTHON = resolve(REPOSITORY, ".local/python-consumer");

/** The Python that runs the consumer, with what it needs; null where there is no Python 3. */
export async function installPython(): Promise<string | null> {
  const requirements = join(REPOSITORY, "examples/consumer-python/requirements.txt");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  try {
    await run("python3", ["-c", "import ensurepip, venv"]);
  } catch {
    return null;
  }
  const python = join(PYTHON, "bin/python");
  await run("python3", ["-m", "venv", PYTHON]);
  await run(python, [...pip, "-r", requirements]);
  return python;
}

import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../..");
const TSC = join(REPOSITORY, "node_modules/.bin/tsc");

/** Copies the examples to a folder, where they find the packages as `npm install` would put them. */
export async function installExamples(folder: string): Promise<void> {
  for (const name of ["client", "api-client"]) {
    const source = join(REPOSITORY, "packages", name);
    const target = join(folder, "node_modules/@drawdown", name);
    await mkdir(target, { recursive: true });
    await cp(join(source, "package.json"), join(target, "package.json"));
    await cp(join(REPOSITORY, "schemas"), join(target, "dist/schemas"), { recursive: true });
    await run(TSC, ["-p", source, "--outDir", join(target, "dist")]);
  }
  await cp(join(REPOSITORY, "examples"), folder, { recursive: true });
}

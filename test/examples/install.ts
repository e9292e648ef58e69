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

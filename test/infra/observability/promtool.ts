import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Prometheus' own tool for checking rules, of Debian's package: fetched once, not installed. */
const FOLDER = join(import.meta.dirname, "..", "..", "..", ".local", "parts", "promtool");
const PROGRAM = join(FOLDER, "usr", "bin", "promtool");

const run = promisify(execFile);

/** The path of promtool; null: it is neither installed nor to be had here. */
export async function findPromtool(): Promise<string | null> {
  for (const program of ["promtool", PROGRAM]) {
    if (await runs(program)) return program;
  }
  try {
    await fetchPackage();
  } catch (error) {
    if (process.env["PROMTOOL_REQUIRED"] === "yes") throw error;
    return null;
  }
  return PROGRAM;
}

function runs(program: string): Promise<boolean> {
  return run(program, ["--version"]).then(
    () => true,
    () => false,
  );
}

async function fetchPackage(): Promise<void> {
  await mkdir(dirname(FOLDER), { recursive: true });
  const folder = await mkdtemp(`${FOLDER}-`);
  try {
    await run("apt-get", ["download", "prometheus"], { cwd: folder });
    const name = (await readdir(folder)).find((file) => file.endsWith(".deb")) ?? "";
    await run("dpkg", ["-x", name, "unpacked"], { cwd: folder });
    await access(join(folder, "unpacked", "usr", "bin", "promtool"));
    await rename(join(folder, "unpacked"), FOLDER).catch((error: NodeJS.ErrnoException) => {
      // Another run has put it there meanwhile.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What promtool says; throws with it if it finds something wrong. */
export async function promtool(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args);
    return stdout + stderr;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(" ")}: ${stdout}${stderr}`);
  }
}

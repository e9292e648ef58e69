import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./bug.ts";

/** A copy of the project as it is in the working tree, to be broken. */
export interface Copy {
  readonly root: string;
  write(files: ReadonlyMap<string, string>): Promise<void>;
  /** Makes files those of the working tree again. */
  restore(files: Iterable<string>): Promise<void>;
  remove(): Promise<void>;
}

export async function copyProject(): Promise<Copy> {
  const root = await mkdtemp(join(tmpdir(), "drawdown-teeth-"));
  // Root starts Postgres as another user, who has to get there.
  await chmod(root, 0o755);
  const copyOne = async (file: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await copyFile(join(ROOT, file), join(root, file));
  };
  for (const file of await listFiles()) await copyOne(file);
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
  await shareServers(root);
  return {
    root,
    async write(files) {
      for (const [file, text] of files) await writeFile(join(root, file), text);
    },
    async restore(files) {
      for (const file of files) await copyOne(file);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** What git knows and what is new, without what was deleted. */
async function listFiles(): Promise<string[]> {
  const list = async (...which: string[]) => {
    const { stdout } = await promisify(execFile)("git", ["ls-files", "-z", ...which], {
      cwd: ROOT,
      maxBuffer: 64 << 20,
    });
    return stdout.split("\0").filter((file) => file !== "");
  };
  const deleted = new Set(await list("--deleted"));
  const files = await list("--cached", "--others", "--exclude-standard");
  return files.filter((file) => !deleted.has(file));
}

/** The servers are fetched once; what tests build beside them is of the broken code, and stays in the copy. */
async function shareServers(root: string): Promise<void> {
  const parts = join(ROOT, ".local/parts");
  await mkdir(parts, { recursive: true });
  await mkdir(join(root, ".local"));
  await symlink(parts, join(root, ".local/parts"));
}

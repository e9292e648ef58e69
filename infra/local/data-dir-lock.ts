import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandLineOf } from "./process-table.ts";

/**
 * Allows one stack at a time on a data folder. The lock file contains the owner's process id and
 * command line; a lock whose owner is gone is replaced. Returns the release.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, "owner.pid");
  await mkdir(dataDir, { recursive: true });
  const found = await readFile(file, "utf8").catch(() => undefined);
  if (found !== undefined) {
    const [pid = "", commandLine] = found.split("\n");
    if ((await commandLineOf(Number(pid))) === commandLine) {
      throw new Error(
        `Process ${pid} already runs a stack on ${dataDir}: stop it first, or choose another data folder.`,
      );
    }
    await rm(file, { force: true });
  }
  const mine = `${process.pid}\n${await commandLineOf(process.pid)}\n`;
  await writeFile(file, mine, { flag: "wx" });
  return async () => {
    await rm(file, { force: true });
  };
}

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandLineOf } from "./process-table.ts";

/**
 * One stack at a time on a data folder. The lock is a file with the number and the command line of
 * its holder; one whose holder is gone (kill -9, power cut) is taken over. Answers with the release.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, "owner.pid");
  await mkdir(dataDir, { recursive: true });
  const held = await readFile(file, "utf8").catch(() => undefined);
  if (held !== undefined) {
    const [pid = "", commandLine] = held.split("\n");
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

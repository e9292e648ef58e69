import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { commandLineOf, killTree, signalProcess } from "./process-table.ts";

/** Stores a process id, so that the process can be found after a crash. */
export async function writePidFile(file: string, pid: number): Promise<void> {
  await writeFile(file, `${pid}\n`);
}

/**
 * Stops a process left by an earlier run, and returns its id. Ids are reused, so the process is stopped
 * only if its command line contains `mark` (a path in our data folder); otherwise only the file is
 * removed.
 */
export async function stopLeftover(
  file: string,
  mark: string,
  signal: NodeJS.Signals,
): Promise<number | undefined> {
  const pid = await readPid(file);
  const ours = pid !== undefined && (await commandLineOf(pid))?.includes(mark) === true;
  if (ours) await stopWithin(pid, mark, signal, 15_000);
  await rm(file, { force: true });
  return ours ? pid : undefined;
}

async function stopWithin(
  pid: number,
  mark: string,
  signal: NodeJS.Signals,
  withinMs: number,
): Promise<void> {
  signalProcess(pid, signal);
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if ((await commandLineOf(pid))?.includes(mark) !== true) return;
    await wait(100);
  }
  await killTree(pid);
}

async function readPid(file: string): Promise<number | undefined> {
  try {
    const [line = ""] = (await readFile(file, "utf8")).split("\n");
    const pid = Number(line.trim());
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined; // no file: nothing was left
  }
}

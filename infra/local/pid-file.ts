import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { commandLineOf, killTree, signalProcess } from "./process-table.ts";

/** Remembers across a crash which process was ours; the first line is its number. */
export async function writePidFile(file: string, pid: number): Promise<void> {
  await writeFile(file, `${pid}\n`);
}

/**
 * Stops what an earlier run left behind. Numbers are used again, so the process is stopped only
 * when its command line holds `mark` (a path in our data folder); else only the file goes.
 * Answers with the number of the process that was stopped.
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

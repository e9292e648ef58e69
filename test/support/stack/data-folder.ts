import { readdir, rm, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { commandLineOf } from "../../../infra/local/process-table.ts";

const LOCAL = resolve(import.meta.dirname, "../../../.local");
/** A file system in memory, on Linux. */
const MEMORY = "/dev/shm";
/** What a run writes at most is below a quarter of it. */
const ROOM_BYTES = 8 * 2 ** 30;
const PREFIX = "drawdown-test-";

/**
 * The folder for the servers' data of this run: in memory where there is room, since each test file's books are
 * hundreds of files, which take up to ten times as much CPU time on a disk. Nothing of a run is to outlive its machine.
 */
export async function dataFolder(): Promise<string> {
  await removeLeftovers();
  const room = await Promise.all([roomIn(MEMORY), process.availableMemory()]);
  return join(Math.min(...room) >= ROOM_BYTES ? MEMORY : LOCAL, `${PREFIX}${process.pid}`);
}

async function roomIn(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => null);
  return found === null ? 0 : found.bavail * found.bsize;
}

/** Data of test runs that were killed before they could remove it; their servers ended with them. */
async function removeLeftovers(): Promise<void> {
  for (const folder of [LOCAL, MEMORY]) {
    for (const name of await readdir(folder).catch(() => [])) {
      const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : Number.NaN;
      if (!Number.isInteger(pid) || (await commandLineOf(pid)) !== undefined) continue;
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

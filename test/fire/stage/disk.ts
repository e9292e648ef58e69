import { execFile } from "node:child_process";
import { mkdir, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A file system of its own, which can be filled to the last block. */
export interface Disk {
  readonly folder: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  close(): Promise<void>;
}

/** Of the file that holds it; only what is written takes room on this machine. */
const BYTES = 4 * 2 ** 30;
const MOST_PIECES = 200;

const run = promisify(execFile);

/**
 * Mounts an ext4 in a file on `folder`. Returns the reason as a text where this machine does not let us:
 * it takes root, a loop device and mkfs.ext4.
 */
export async function openDisk(file: string, folder: string): Promise<Disk | string> {
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(file, "");
    await truncate(file, BYTES);
    await run("mkfs.ext4", ["-q", "-m", "0", file]);
    await run("mount", ["-o", "loop", file, folder]);
  } catch (error) {
    await rm(file, { force: true });
    return error instanceof Error ? error.message.trim().replaceAll(/\s+/g, " ") : String(error);
  }
  const ballast = join(folder, "ballast");
  return {
    folder,
    async fill() {
      await mkdir(ballast, { recursive: true });
      for (let piece = 0; piece < MOST_PIECES; piece += 1) {
        const { bavail, bsize } = await statfs(folder);
        if (bavail === 0) return;
        // What is left may lie in pieces, or go to a file's own index.
        await take(join(ballast, String(piece)), bavail * bsize);
      }
    },
    free: () => rm(ballast, { recursive: true, force: true }),
    async close() {
      await run("umount", [folder]).catch(() => run("umount", ["--lazy", folder]));
    },
  };
}

/** Takes as much of the room as one file gets; a file that does not get all of it keeps what it got. */
async function take(file: string, bytes: number): Promise<void> {
  await run("fallocate", ["--length", String(bytes), file]).catch(() => undefined);
}

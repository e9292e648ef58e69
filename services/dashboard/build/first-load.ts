import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** What the account page may weigh before it is drawn, gzipped. */
export const FIRST_LOAD_LIMIT = 100 * 1024;

/** A file that a browser fetches to draw the page, and its size in bytes, gzipped. */
export interface LoadedFile {
  readonly file: string;
  readonly gzipped: number;
}

/**
 * What a browser fetches for the account page out of a finished build: the page, and the scripts and
 * styles that it names. What is imported later (the operators' page) is not among them.
 */
export async function firstLoad(directory: string): Promise<readonly LoadedFile[]> {
  const page = await readFile(join(directory, "index.html"), "utf8");
  const named = [...page.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)];
  const files = ["index.html", ...named.map(([, file]) => file ?? "")];
  return await Promise.all(
    files.map(async (file) => ({
      file,
      gzipped: gzipSync(await readFile(join(directory, file))).length,
    })),
  );
}

/** The sum of the files' sizes. */
export function sizeOf(files: readonly LoadedFile[]): number {
  return files.reduce((sum, { gzipped }) => sum + gzipped, 0);
}

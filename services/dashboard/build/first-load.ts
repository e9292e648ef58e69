import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** The limit of what the account page loads before it is drawn, in bytes, gzipped. */
export const FIRST_LOAD_LIMIT = 100 * 1024;

/** A file that the page loads, with its size in bytes, gzipped. */
export interface LoadedFile {
  readonly file: string;
  readonly gzipped: number;
}

/**
 * The files of a build that a browser loads for the account page: the page with its scripts and styles,
 * without later imports (the operators' page).
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

export function sizeOf(files: readonly LoadedFile[]): number {
  return files.reduce((sum, { gzipped }) => sum + gzipped, 0);
}

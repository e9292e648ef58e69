import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export const ROOT = resolve(import.meta.dirname, "../..");
const BUGS = join(import.meta.dirname, "bugs");

/** A mistake that a person could make, and where a test has to notice it. */
export interface Bug {
  /** What goes wrong with it, in a sentence. */
  readonly breaks: string;
  /** The promise that it breaks. */
  readonly promise: string;
  /** Applied in order; a file may have several. */
  readonly edits: readonly Edit[];
  readonly caughtBy: Guard;
}

interface Edit {
  /** From the project's root. */
  readonly file: string;
  /** Is there exactly once; short, so that it outlives changes around it. */
  readonly search: string;
  readonly replacement: string;
}

/** Tests that fail with the bug and pass without. */
export interface Guard {
  readonly file: string;
  /** A part of the name of the only test that is run; where the others are slow. Default: all of the file. */
  readonly test?: string;
}

export interface NamedBug extends Bug {
  readonly name: string;
}

/** All bugs, by name: that of their file. */
export async function readBugs(): Promise<NamedBug[]> {
  const files = (await readdir(BUGS)).filter((file) => file.endsWith(".ts")).sort();
  return Promise.all(
    files.map(async (file) => {
      const { bug }: { bug: Bug } = await import(pathToFileURL(join(BUGS, file)).href);
      return { name: file.replace(/\.ts$/, ""), ...bug };
    }),
  );
}

/** The files that a bug changes, with it. Throws where the code is no longer what the bug was written for. */
export async function withBug({ name, edits }: NamedBug): Promise<ReadonlyMap<string, string>> {
  const changed = new Map<string, string>();
  for (const { file, search, replacement } of edits) {
    const text = changed.get(file) ?? (await readFile(join(ROOT, file), "utf8"));
    const parts = text.split(search);
    if (parts.length !== 2) {
      throw new Error(
        `bug ${name}: ${file} has ${parts.length - 1} times what it replaces, not once: ${search}`,
      );
    }
    changed.set(file, parts.join(replacement));
  }
  return changed;
}

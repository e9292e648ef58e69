import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/** What was downloaded is not what the list says. */
export class WrongChecksum extends Error {}

const SHOWN = 5;

/**
 * Throws WrongChecksum unless the folder has the files of the list and no others, each with its SHA-256. The list
 * is one of `sha256sum`, which checks it, too.
 */
export async function verifyChecksums(folder: string, listFile: string): Promise<void> {
  const expected = await readList(listFile);
  const found = await filesOf(folder);
  const problems = [
    ...[...expected.keys()].filter((name) => !found.includes(name)).map((name) => `lacks ${name}`),
    ...found
      .filter((name) => !expected.has(name))
      .map((name) => `has ${name}, which it should not`),
  ];
  for (const name of found.filter((one) => expected.has(one))) {
    const sum = await sha256(join(folder, name));
    if (sum !== expected.get(name)) problems.push(`has another ${name} (SHA-256 ${sum})`);
  }
  if (problems.length === 0) return;
  const more = problems.length > SHOWN ? `, and ${problems.length - SHOWN} more` : "";
  throw new WrongChecksum(`${problems.slice(0, SHOWN).join("; ")}${more}`);
}

/** The SHA-256 of each file of a list, by its name. */
export async function readList(file: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const [, sum = "", name = ""] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      if (name === "") throw new Error(`${file} has a line that is no checksum: ${line}`);
      return [name, sum];
    }),
  );
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Also what is no file: a link could lead out of the folder. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

import { createReadStream } from "node:fs";
import { z } from "zod";
import { MAX_CATALOGUE_BYTES, parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import { type ParsedRates, parseOwnRates } from "../../../shared/catalogue/parse-own-rates.ts";
import type { Problem } from "../../../shared/catalogue/problem.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { fileProblem } from "../../../shared/contract/problem.ts";
import type { RequestedCatalogue } from "../../../shared/core/offer/requested-catalogue.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { printable } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { reasonOf } from "../shell/with-database.ts";

/** What a catalogue file states, or the result to show when it is unreadable or wrong. */
type CatalogueFile = { readonly kind: "read"; readonly stated: RequestedCatalogue } | WrongFile;

interface WrongFile {
  readonly kind: "wrong";
  readonly result: Result;
}

/** Reads a catalogue file. `consequence` is what a wrong file means: "nothing was applied". */
export async function readCatalogueFile(file: string, consequence: string): Promise<CatalogueFile> {
  const read = await readBytes(file, MAX_CATALOGUE_BYTES);
  if (read.kind === "wrong") return read;
  const parsed = parseCatalogue(read.bytes);
  return parsed.kind === "parsed"
    ? { kind: "read", stated: parsed.asked }
    : { kind: "wrong", result: wrongFile(file, parsed.problems, consequence) };
}

const wrong = noun({ outcome: z.literal("refused"), problems: z.array(fileProblem) });

const MOST_NAMED = 100;

/** The problems of a file, by line and field; a problem in line 0 is one of the command's options. */
export function wrongFile(file: string, problems: readonly Problem[], consequence: string): Result {
  const named = problems.slice(0, MOST_NAMED);
  const lines = named.map(({ line, field, problem: what }) =>
    printable(
      line === 0
        ? `--${field}: ${what}`
        : `${file}:${line}: ${field === "" ? "the file" : `${field}:`} ${what}`,
    ),
  );
  return shown(
    wrong,
    { outcome: "refused", problems: named },
    lines.join("\n"),
    `${countOf(problems.length, "problem")} in ${printable(file)}; ${consequence}`,
  );
}

/** Reads a file with the rates of one meter. */
export async function readOwnRatesFile(
  file: string,
): Promise<Extract<ParsedRates, { kind: "parsed" }> | WrongFile> {
  const read = await readBytes(file, MAX_CATALOGUE_BYTES);
  if (read.kind === "wrong") return read;
  const parsed = parseOwnRates(read.bytes);
  if (parsed.kind === "parsed") return parsed;
  return { kind: "wrong", result: wrongFile(file, parsed.problems, "nothing was set") };
}

type FileBytes = { readonly kind: "read"; readonly bytes: Uint8Array } | WrongFile;

/** Reads at most one byte more than a file may have. */
export async function readBytes(file: string, most: number): Promise<FileBytes> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(file, { end: most })) chunks.push(chunk);
    return { kind: "read", bytes: Buffer.concat(chunks) };
  } catch (error) {
    return { kind: "wrong", result: refused(`cannot read ${file}: ${reasonOf(error)}`) };
  }
}

import { createReadStream } from "node:fs";
import { z } from "zod";
import { MAX_CATALOGUE_BYTES, parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import type { Problem } from "../../../shared/catalogue/problem.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { AskedCatalogue } from "../../../shared/core/offer/asked-catalogue.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { printable } from "../shell/print.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { reasonOf } from "../shell/with-database.ts";

/** What a catalogue file states, or what to say where it cannot be read or is wrong. */
export type CatalogueFile =
  | { readonly kind: "read"; readonly asked: AskedCatalogue }
  | { readonly kind: "wrong"; readonly result: Result };

/** Reads a catalogue file. `without` is what is not done where it is wrong: "nothing was applied". */
export async function readCatalogueFile(file: string, without: string): Promise<CatalogueFile> {
  const bytes = await readBytes(file).catch(reasonOf);
  if (typeof bytes === "string") {
    return { kind: "wrong", result: refused(`cannot read ${file}: ${bytes}`) };
  }
  const parsed = parseCatalogue(bytes);
  return parsed.kind === "parsed"
    ? { kind: "read", asked: parsed.asked }
    : { kind: "wrong", result: wrongFile(file, parsed.problems, without) };
}

const problem = noun({ line: z.number().int(), field: z.string(), problem: z.string() });
const wrong = noun({ outcome: z.literal("refused"), problems: z.array(problem) });

/** Problems are named one by one up to here. */
const MOST_NAMED = 100;

/** All that is wrong with a file, by line and field. */
export function wrongFile(file: string, problems: readonly Problem[], without: string): Result {
  const named = problems.slice(0, MOST_NAMED);
  const lines = named.map(({ line, field, problem: what }) =>
    printable(`${file}:${line}: ${field === "" ? "the file" : `${field}:`} ${what}`),
  );
  const count = countOf(problems.length, "thing is", "things are");
  return shown(
    wrong,
    { outcome: "refused", problems: named },
    lines.join("\n"),
    `${count} wrong in ${printable(file)}; ${without}`,
  );
}

/** No more of it than is needed to say that it is too large. */
async function readBytes(file: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { end: MAX_CATALOGUE_BYTES })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

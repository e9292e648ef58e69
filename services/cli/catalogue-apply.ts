import { createReadStream } from "node:fs";
import { MAX_CATALOGUE_BYTES, parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import type { Problem } from "../../shared/catalogue/problem.ts";
import type { Refusal } from "../../shared/core/change-catalogue.ts";
import { applyCatalogue, previewCatalogue } from "../../shared/ledger/apply-catalogue.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { countOf, formatInstant } from "../../shared/words/plain-words.ts";
import { changesJson, changesText } from "./catalogue-changes-text.ts";
import { printable } from "./print.ts";
import { type Result, refused, shown } from "./result.ts";
import { reasonOf, withDatabase } from "./with-database.ts";

/** Adds what a catalogue file states, or only shows what that would be. */
export async function applyFile(
  settings: Settings,
  file: string,
  dryRun: boolean,
): Promise<Result> {
  const bytes = await readBytes(file).catch(reasonOf);
  if (typeof bytes === "string") return refused(`cannot read ${file}: ${bytes}`);
  const parsed = parseCatalogue(bytes);
  if (parsed.kind === "unreadable") return notApplied(file, parsed.problems);
  const decision = await withDatabase(settings, (database) => {
    const work = dryRun ? previewCatalogue : applyCatalogue;
    return work(database, parsed.asked, Date.now(), settings.metering.window.maxAheadMs);
  });
  return decision.kind === "refused"
    ? notApplied(file, decision.refusals.map(toProblem))
    : shown(changesJson(decision.changes, dryRun), changesText(decision.changes, dryRun));
}

/** Problems are named one by one up to here. */
const MOST_NAMED = 100;

function notApplied(file: string, problems: readonly Problem[]): Result {
  const named = problems.slice(0, MOST_NAMED);
  const lines = named.map(({ line, field, problem }) =>
    printable(`${file}:${line}: ${field === "" ? "the file" : `${field}:`} ${problem}`),
  );
  const count = countOf(problems.length, "thing is", "things are");
  return shown(
    {
      outcome: "refused",
      problems: named.map(({ line, field, problem }) => ({ line, field, problem })),
    },
    lines.join("\n"),
    `${count} wrong in ${printable(file)}; nothing was applied`,
  );
}

function toProblem(refusal: Refusal): Problem {
  return { ...refusal.place, problem: inWords(refusal) };
}

function inWords(refusal: Refusal): string {
  switch (refusal.kind) {
    case "conflict":
      return "begins when other terms do already, and what stands never changes; name a later from";
    case "too_early":
      return `stands already and can change from ${formatInstant(refusal.earliest)} on at the earliest; name a later from`;
    case "planned":
      return `other terms are to begin at ${formatInstant(refusal.at)}; list these and those as versions with from`;
    case "overtaken":
      return `could begin at ${formatInstant(refusal.earliest)} at the earliest, when the next version holds already; name its from, or leave it out`;
  }
}

/** No more of it than is needed to say that it is too large. */
async function readBytes(file: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { end: MAX_CATALOGUE_BYTES })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

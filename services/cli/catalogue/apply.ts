import type { Problem } from "../../../shared/catalogue/problem.ts";
import type { Refusal } from "../../../shared/core/offer/change-catalogue.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { applyCatalogue, previewCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type Result, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { changesJson, changesText } from "./changes-text.ts";
import { readCatalogueFile, wrongFile } from "./file.ts";

const NOT_APPLIED = "nothing was applied";

/** Adds what a catalogue file states, or only shows what that would be. */
export async function applyFile(
  settings: Settings,
  file: string,
  dryRun: boolean,
): Promise<Result> {
  const read = await readCatalogueFile(file, NOT_APPLIED);
  if (read.kind === "wrong") return read.result;
  const decision = await withDatabase(settings, (database) => {
    const work = dryRun ? previewCatalogue : applyCatalogue;
    return work(database, read.asked, Date.now(), settings.metering.window.maxAheadMs);
  });
  return decision.kind === "refused"
    ? wrongFile(file, decision.refusals.map(toProblem), NOT_APPLIED)
    : shown(changesJson(decision.changes, dryRun), changesText(decision.changes, dryRun));
}

function toProblem(refusal: Refusal): Problem {
  return { ...refusal.place, problem: inWords(refusal) };
}

function inWords(refusal: Refusal): string {
  switch (refusal.kind) {
    case "conflict":
      return "begins when other terms do already, and what exists never changes; name a later from";
    case "too_early":
      return `already exists and can change from ${formatInstant(refusal.earliest)} on at the earliest; name a later from`;
    case "planned":
      return `other terms are to begin at ${formatInstant(refusal.at)}; list these and those as versions with from`;
    case "overtaken":
      return `could begin at ${formatInstant(refusal.earliest)} at the earliest, when the next version holds already; name its from, or leave it out`;
  }
}

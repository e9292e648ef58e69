import type { Problem } from "../../../shared/catalogue/problem.ts";
import {
  catalogueChanges,
  toCatalogueChanges,
} from "../../../shared/contract/catalogue-changes.ts";
import { explainRefusal } from "../../../shared/contract/refusals.ts";
import type { RefusedVersion } from "../../../shared/core/offer/change-catalogue.ts";
import { applyCatalogue, previewCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { byArgument } from "../shell/arguments.ts";
import { type Result, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { changesText } from "./changes-text.ts";
import { readCatalogueFile, wrongFile } from "./file.ts";

const NOT_APPLIED = "nothing was applied";

/** Adds what a catalogue file states; a dry run only shows what would be added. */
export async function applyFile(
  settings: Settings,
  file: string,
  dryRun: boolean,
): Promise<Result> {
  const catalogue = await readCatalogueFile(file, NOT_APPLIED);
  if (catalogue.kind === "wrong") return catalogue.result;
  const decision = await withDatabase(settings, (database) => {
    const { maxAheadMs } = settings.metering.window;
    const asked = [database, catalogue.stated, Date.now(), maxAheadMs] as const;
    return dryRun ? previewCatalogue(...asked) : applyCatalogue(...asked, byArgument(undefined));
  });
  return decision.kind === "refused"
    ? wrongFile(file, decision.refusals.map(toProblem), NOT_APPLIED)
    : shown(
        catalogueChanges,
        toCatalogueChanges(decision.changes, dryRun),
        changesText(decision.changes, dryRun),
      );
}

function toProblem(refused: RefusedVersion): Problem {
  return { ...refused.place, problem: explainRefusal(refused).sentence };
}

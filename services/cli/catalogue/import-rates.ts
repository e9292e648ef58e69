import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { LeftOut } from "../../../shared/catalogue/price-tables/collect-rows.ts";
import { exactText } from "../../../shared/catalogue/price-tables/exact-number.ts";
import { parseMarkup } from "../../../shared/catalogue/price-tables/markup.ts";
import { parsePattern } from "../../../shared/catalogue/price-tables/name-pattern.ts";
import {
  type ImportPlan,
  type ImportTerms,
  planImport,
} from "../../../shared/catalogue/price-tables/plan-import.ts";
import {
  MAX_TABLE_BYTES,
  readPriceTable,
} from "../../../shared/catalogue/price-tables/read-price-table.ts";
import { selectRows } from "../../../shared/catalogue/price-tables/select-rows.ts";
import {
  parseCreditWorth,
  type TableRate,
  toRates,
} from "../../../shared/catalogue/price-tables/to-rates.ts";
import type { Problem } from "../../../shared/catalogue/problem.ts";
import { explainRefusal } from "../../../shared/contract/refusals.ts";
import type { RefusedVersion } from "../../../shared/core/offer/change-catalogue.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { applyPlan, type Planned, previewPlan } from "../../../shared/ledger/catalogue/apply.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { byArgument, instantArgument, orWrongUsage } from "../shell/arguments.ts";
import { interruptible, isConfirmed } from "../shell/confirm.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import type { JsonOption } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { readBytes, wrongFile } from "./file.ts";
import { rateImport, toRateImport } from "./import-shape.ts";
import { importText } from "./import-text.ts";

export interface ImportOptions extends JsonOption {
  readonly perCredit: string;
  readonly markup?: readonly string[];
  readonly only?: readonly string[];
  readonly from?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

const NOT_IMPORTED = "nothing was imported";

/** Makes rates of a price table: shows what changes, asks, and applies it; a dry run only shows it. */
export async function importFile(
  settings: Settings,
  file: string,
  options: ImportOptions,
): Promise<Result> {
  const terms = toTerms(options);
  if (options.dryRun !== true && options.yes !== true && !process.stdin.isTTY) {
    throw new WrongUsage("an import asks before it changes rates; without a terminal, add --yes");
  }
  const read = await readBytes(file, MAX_TABLE_BYTES);
  if (read.kind === "wrong") return read.result;
  const priced = ratesOf(read.bytes, terms);
  if (priced.kind === "refused") return wrongFile(file, priced.problems, NOT_IMPORTED);
  const { currency, price } = terms.worth;
  const source = {
    ...{ importedAt: null, file: basename(file), format: priced.format },
    ...{ sha256: createHash("sha256").update(read.bytes).digest("hex") },
    ...{ currency, perCredit: exactText(price), markups: options.markup ?? [] },
  };
  const { only, from } = terms;
  const importing = { file, options, ...priced, terms: { only, from, source } };
  return interruptible((signal) =>
    withDatabase(settings, (database) =>
      proposeAndApply(settings, { ...importing, database, signal }),
    ),
  );
}

function toTerms({ markup = [], only = [], perCredit, from }: ImportOptions) {
  return {
    markups: markup.map((text) => orWrongUsage(() => parseMarkup(text), "--markup ")),
    only: only.map((text) => orWrongUsage(() => parsePattern(text), "--only ")),
    worth: orWrongUsage(() => parseCreditWorth(perCredit), "--per-credit "),
    from: from === undefined ? null : instantArgument("--from", from),
  };
}

function ratesOf(bytes: Uint8Array, { only, markups, worth }: ReturnType<typeof toTerms>) {
  const table = readPriceTable(bytes);
  if (table.kind === "unreadable") return { kind: "refused", problems: table.problems } as const;
  const selected = selectRows(table.rows, only);
  if (selected.kind === "refused") return selected;
  const priced = toRates(selected.rows, markups, worth);
  if (priced.kind === "refused") return priced;
  const { format, leftOut } = table;
  return { kind: "priced", rates: priced.rates, format, leftOut } as const;
}

interface Importing {
  readonly database: Database;
  readonly signal: AbortSignal;
  readonly file: string;
  readonly options: ImportOptions;
  readonly terms: ImportTerms;
  readonly rates: readonly TableRate[];
  readonly leftOut: readonly LeftOut[];
}

async function proposeAndApply(settings: Settings, importing: Importing): Promise<Result> {
  const { database, options, terms, rates, leftOut, signal } = importing;
  const { maxAheadMs } = settings.metering.window;
  const planOf = (card: Parameters<typeof planImport>[1]) => planImport(rates, card, terms);
  const proposed = await previewPlan(database, planOf, Date.now(), maxAheadMs);
  const wrong = refusalOf(importing, proposed);
  if (wrong !== null) return wrong;
  const told = { leftOut, source: terms.source };
  const show = (planned: Planned<ImportPlan>, outcome: "would_apply" | "applied") =>
    shown(rateImport, toRateImport(planned, outcome, told), importText(planned, outcome, told));
  const isChange = proposed.plan.requested.meters.size > 0;
  if (options.dryRun === true || !isChange) return show(proposed, "would_apply");
  if (options.json !== true || options.yes !== true) {
    process.stderr.write(`${importText(proposed, "proposed", told)}\n`);
  }
  if (options.yes !== true && !(await isConfirmed("Import these rates?", signal))) {
    return refused(NOT_IMPORTED);
  }
  const applied = await orUnknown(
    applyPlan(
      database,
      (card) => asProposed(planOf(card), proposed.plan),
      ...([Date.now(), maxAheadMs, byArgument(undefined)] as const),
    ),
    "import the file again: if it was applied, nothing changes",
  );
  return refusalOf(importing, applied) ?? show(applied, "applied");
}

/** A plan, or a problem where it does not follow from the versions that were shown. */
function asProposed(plan: ImportPlan, proposed: ImportPlan): ImportPlan {
  const isSame = plan.meters.every(
    ({ base }, at) => base?.validFrom === proposed.meters[at]?.base?.validFrom,
  );
  if (isSame) return plan;
  const problem = "its rates changed while you were asked; look at the changes again";
  return {
    ...{ meters: plan.meters, problems: [{ line: 1, field: "", problem }] },
    requested: { ...plan.requested, meters: new Map() },
  };
}

function refusalOf({ file }: Importing, { plan, decision }: Planned<ImportPlan>): Result | null {
  const problems = decision.kind === "refused" ? decision.refusals.map(toProblem) : plan.problems;
  return problems.length === 0 ? null : wrongFile(file, problems, NOT_IMPORTED);
}

function toProblem(refusal: RefusedVersion): Problem {
  const problem =
    refusal.kind === "version_planned"
      ? `other rates begin at ${formatInstant(refusal.at)}; state a --from after that`
      : explainRefusal(refusal).sentence;
  return { ...refusal.place, problem };
}

import type { Command } from "commander";
import {
  addCharge,
  addPlans,
  addUsage,
  type PricedUsage,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Refusal } from "../../../shared/core/line/refusal.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import {
  type StatedCatalogue,
  statedCatalogue,
} from "../../../shared/core/offer/stated-catalogue.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import type { UnknownAccount } from "../../../shared/ledger/books/move-account.ts";
import { listOwnTerms } from "../../../shared/ledger/catalogue/own-terms.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { allowWholeTables } from "../../../shared/ledger/postgres/read-snapshot.ts";
import {
  type ChargedRange,
  countUsageBetween,
  readChargesBetween,
  readPlansBetween,
  readUsageBetween,
} from "../../../shared/ledger/proof/charged-between.ts";
import { usagePastUntil } from "../../../shared/ledger/usage/past-usage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, idArgument, instantArgument } from "../shell/arguments.ts";
import { writeCsv } from "../shell/csv-file.ts";
import { limitArgument, MOST_LISTED } from "../shell/paging.ts";
import { openProgress } from "../shell/progress.ts";
import { readBooks } from "../shell/read-books.ts";
import { type Result, refused, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { csvLines } from "./csv.ts";
import { toWhatIfReport, whatIfReport } from "./shape.ts";
import { whatIfFailure, whatIfText } from "./text.ts";
import { whatIfTotals } from "./totals.ts";

interface WhatIfOptions extends JsonOption {
  readonly catalogue: string;
  readonly from: string;
  readonly to: string;
  readonly account?: string;
  readonly byMeter?: true;
  readonly by?: string;
  readonly ratesOf?: string;
  readonly usageOnly?: true;
  readonly limit: string;
  readonly csv?: string;
}

const RULES = `
Only the file counts: what it does not name has no price and is not compared but listed, with exit
code 1. What it states without from applies to the whole range. Each event is priced at the instant
at which it occurred, by its dimensions; plans, changes of plan and add-ons are as they were. Top-ups
are not compared. Nothing is changed.`;

/** The most values of a dimension that an account's usage is summed by. */
const MOST_VALUES = 10_000;

export function addWhatIfCommand(program: Command): void {
  addCommand(program, "what-if", {
    does: "show what each account would have been charged under another catalogue",
    examples: [
      "what-if --catalogue dearer.yaml --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z",
      "what-if --catalogue dearer.yaml --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --csv -",
      "what-if --catalogue models.yaml --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --by model --usage-only",
      "what-if --catalogue models.yaml --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --account acme --rates-of partner",
    ],
  })
    .requiredOption(
      "--catalogue <file>",
      "the other catalogue, in the format of `catalogue apply --help`",
    )
    .requiredOption("--from <instant>", "what was used and fell due from this instant on")
    .requiredOption("--to <instant>", "and before this instant")
    .option("--account <id>", "only this account")
    .option("--by-meter", "show each account by meter and add-on")
    .option(
      "--by <dimension>",
      "show usage by the values of a dimension, in all and of each account",
    )
    .option("--rates-of <id>", "price all usage with this account's own rates and discounts")
    .option("--usage-only", "compare usage alone, without add-ons and plans")
    .option(
      "--limit <count>",
      `how many accounts and values to show as text, at most ${MOST_LISTED}`,
      "20",
    )
    .option(
      "--csv <file>",
      "write all accounts by meter, value, add-on and plan; - is standard output",
    )
    .addHelpText("after", RULES)
    .action((options: WhatIfOptions) =>
      run(options, (settings) => whatIf(settings, toRequest(options))),
    );
}

interface Request {
  readonly file: string;
  readonly range: ChargedRange;
  readonly byMeter: boolean;
  /** A dimension; null: none. */
  readonly by: string | null;
  /** The account whose own terms price all usage; null: each its own. */
  readonly ratesOf: AccountId | null;
  readonly usageOnly: boolean;
  readonly limit: number;
  readonly csv: string | null;
  readonly json: boolean;
}

function toRequest(options: WhatIfOptions): Request {
  const { catalogue, account, byMeter, by, ratesOf, usageOnly, limit, csv = null, json } = options;
  const from = instantArgument("--from", options.from);
  const to = instantArgument("--to", options.to);
  if (from >= to) {
    throw new WrongUsage(
      `--from ${formatInstant(from)} must be before --to ${formatInstant(to)}: the range is empty`,
    );
  }
  if (csv === "-" && json) throw new WrongUsage("--csv - and --json both write to standard output");
  const accountId = account === undefined ? null : accountIdArgument(account);
  return {
    file: catalogue,
    range: { from, to, accountId },
    byMeter: byMeter === true,
    by: by === undefined ? null : idArgument("--by", by),
    ratesOf: ratesOf === undefined ? null : accountIdArgument(ratesOf),
    usageOnly: usageOnly === true,
    limit: limitArgument(limit),
    csv,
    json: json === true,
  };
}

async function whatIf(settings: Settings, request: Request): Promise<Result> {
  // Loaded only now: the other commands start faster without the parser.
  const { readCatalogueFile } = await import("../catalogue/file.ts");
  const catalogue = await readCatalogueFile(request.file, "nothing was calculated");
  if (catalogue.kind === "wrong") return catalogue.result;
  const compared = await readBooks(settings, (transaction) =>
    compare(transaction, request, statedCatalogue(catalogue.stated)),
  );
  return "kind" in compared ? refused(compared) : resultOf(compared, request);
}

async function compare(
  transaction: Transaction,
  { range, by, ratesOf, usageOnly }: Request,
  other: StatedCatalogue,
): Promise<WhatIf | UnknownAccount | Refusal<"usage_past_retention" | "range_too_large">> {
  const compared: WhatIf = new Map();
  const { accountId } = range;
  for (const named of [accountId, ratesOf]) {
    if (named !== null && (await readAccountDetails(transaction, named)) === null) {
      return { kind: "unknown_account", accountId: named };
    }
  }
  if (accountId === null) await allowWholeTables(transaction);
  const rates = toRates(other.card, await listOwnTerms(transaction));
  const until = await usagePastUntil(transaction, accountId);
  if (until !== null && range.from < until) return { kind: "usage_past_retention", until };
  const events = await countUsageBetween(transaction, range);
  using progress = openProgress(events, countOf(events, "event"));
  let hasTooMany = false;
  await readUsageBetween(transaction, range, (usage) => {
    for (const event of hasTooMany ? [] : usage) {
      addUsage(compared, event, rates, by, ratesOf ?? event.accountId);
    }
    hasTooMany ||= usage.some((of) => valuesOf(compared, of) > MOST_VALUES);
    progress.add(usage.length);
  });
  if (hasTooMany) return { kind: "range_too_large" };
  if (usageOnly) return compared;
  await readChargesBetween(transaction, range, (charges) => {
    for (const charge of charges) addCharge(compared, charge, other);
  });
  await readPlansBetween(transaction, range, (accounts) => {
    for (const account of accounts) addPlans(compared, account, other, range);
  });
  return compared;
}

/** How many values of the dimension the account of an event has used so far. */
function valuesOf(compared: WhatIf, { accountId }: PricedUsage): number {
  return compared.get(accountId)?.values.size ?? 0;
}

async function resultOf(compared: WhatIf, request: Request): Promise<Result> {
  const { file, range, csv } = request;
  const { from, to } = range;
  if (compared.size === 0) {
    return refused(
      `nothing was used or charged from ${formatInstant(from)} to ${formatInstant(to)}; name another range`,
    );
  }
  const totals = whatIfTotals(compared);
  const failure = whatIfFailure(totals, file);
  if (csv !== null) {
    const problem = await writeCsv(csvLines(compared), csv);
    if (problem !== null) return refused(problem);
    if (csv === "-") return { kind: "written", failure };
  }
  return {
    kind: "shown",
    // Made only for --json: there may be a million accounts.
    data: () => whatIfReport.encode(toWhatIfReport(compared, totals, request)),
    text: whatIfText(compared, totals, request),
    failure,
  };
}

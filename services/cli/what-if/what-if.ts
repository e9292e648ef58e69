import type { Command } from "commander";
import {
  addCharge,
  addPlans,
  addUsage,
  type WhatIf,
} from "../../../shared/core/history/what-if.ts";
import {
  type StatedCatalogue,
  statedCatalogue,
} from "../../../shared/core/offer/stated-catalogue.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import type { UnknownAccount } from "../../../shared/ledger/books/move-account.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { allowWholeTables, readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import {
  type ChargedRange,
  countUsageBetween,
  readChargesBetween,
  readPlansBetween,
  readUsageBetween,
} from "../../../shared/ledger/proof/charged-between.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, instantArgument, limitArgument } from "../shell/arguments.ts";
import { openProgress } from "../shell/progress.ts";
import { type Result, refused, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { writeCsv } from "./csv.ts";
import { toWhatIfReport, whatIfReport } from "./shape.ts";
import { whatIfFailure, whatIfText } from "./text.ts";
import { whatIfTotals } from "./totals.ts";

interface WhatIfOptions extends JsonOption {
  readonly catalogue: string;
  readonly from: string;
  readonly to: string;
  readonly account?: string;
  readonly byMeter?: true;
  readonly limit: string;
  readonly csv?: string;
}

const MOST_LISTED = 10_000;

const RULES = `
The file is taken alone: what it does not name has no price, is left out and is named, and the exit
code is 1. What it states without from holds for the whole range. Each event is priced at the instant
at which it occurred; plans, changes of plan and add-ons are as they were. Top-ups are not compared.
Nothing is changed.`;

export function addWhatIfCommand(program: Command): void {
  addCommand(program, "what-if", {
    does: "show what each account would have been charged under another catalogue",
    examples: [
      "what-if --catalogue dearer.yaml --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z",
      "what-if --catalogue dearer.yaml --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --csv -",
    ],
  })
    .requiredOption(
      "--catalogue <file>",
      "the other catalogue: `catalogue apply --help` has its form",
    )
    .requiredOption("--from <instant>", "what was used and fell due from then on")
    .requiredOption("--to <instant>", "and before then")
    .option("--account <id>", "of this account only")
    .option("--by-meter", "show each account by meter and add-on")
    .option("--limit <count>", `how many accounts to show as text, at most ${MOST_LISTED}`, "20")
    .option("--csv <file>", "write all accounts by meter, add-on and plan; - is standard output")
    .addHelpText("after", RULES)
    .action((options: WhatIfOptions) =>
      run(options, (settings) => whatIf(settings, toAsked(options))),
    );
}

interface Asked {
  readonly file: string;
  readonly range: ChargedRange;
  readonly byMeter: boolean;
  readonly limit: number;
  readonly csv: string | null;
  readonly json: boolean;
}

function toAsked(options: WhatIfOptions): Asked {
  const { catalogue, account, byMeter, limit, csv = null, json } = options;
  const from = instantArgument("--from", options.from);
  const to = instantArgument("--to", options.to);
  if (from >= to) {
    throw new WrongUsage(
      `--from ${formatInstant(from)} must be before --to ${formatInstant(to)}: the range is empty`,
    );
  }
  if (csv === "-" && json) throw new WrongUsage("--csv - and --json both fill standard output");
  const accountId = account === undefined ? null : accountIdArgument(account);
  return {
    file: catalogue,
    range: { from, to, accountId },
    byMeter: byMeter === true,
    limit: limitArgument(limit, MOST_LISTED),
    csv,
    json: json === true,
  };
}

async function whatIf(settings: Settings, asked: Asked): Promise<Result> {
  // Loaded only now: the other commands start in less time without what reads the file.
  const { readCatalogueFile } = await import("../catalogue/file.ts");
  const read = await readCatalogueFile(asked.file, "nothing was calculated");
  if (read.kind === "wrong") return read.result;
  const compared = await withDatabase(settings, (database) =>
    readSnapshot(database, (transaction) =>
      compare(transaction, asked.range, statedCatalogue(read.asked)),
    ),
  );
  return "kind" in compared ? refused(compared) : resultOf(compared, asked);
}

async function compare(
  transaction: Transaction,
  range: ChargedRange,
  other: StatedCatalogue,
): Promise<WhatIf | UnknownAccount> {
  const compared: WhatIf = new Map();
  const { accountId } = range;
  if (accountId === null) await allowWholeTables(transaction);
  else if ((await readAccountDetails(transaction, accountId)) === null) {
    return { kind: "unknown_account", accountId };
  }
  const events = await countUsageBetween(transaction, range);
  const progress = openProgress(events, countOf(events, "event"));
  try {
    await readUsageBetween(transaction, range, (usage) => {
      for (const one of usage) addUsage(compared, one, other);
      progress.add(usage.length);
    });
    await readChargesBetween(transaction, range, (charges) => {
      for (const charge of charges) addCharge(compared, charge, other);
    });
    await readPlansBetween(transaction, range, (books) => {
      for (const one of books) addPlans(compared, one, other, range);
    });
  } finally {
    progress.stop();
  }
  return compared;
}

async function resultOf(compared: WhatIf, asked: Asked): Promise<Result> {
  const { from, to } = asked.range;
  if (compared.size === 0) {
    return refused(
      `nothing was used or charged from ${formatInstant(from)} to ${formatInstant(to)}; name another range`,
    );
  }
  const totals = whatIfTotals(compared);
  const failure = whatIfFailure(totals, asked.file);
  if (asked.csv !== null) {
    const problem = await writeCsv(compared, asked.csv);
    if (problem !== null) return refused(`cannot write ${asked.csv}: ${problem}`);
    if (asked.csv === "-") return { kind: "written", failure };
  }
  return {
    kind: "shown",
    // Of a million accounts it is not made where nobody asks for it.
    data: () => whatIfReport.encode(toWhatIfReport(compared, totals, asked)),
    text: whatIfText(compared, totals, asked),
    failure,
  };
}

import type { Command } from "commander";
import { accountIdArgument } from "../shell/arguments.ts";
import { addChangeCommand, type ByOption, toRequest } from "../shell/change-command.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { erase } from "./erase.ts";
import { type ExportOptions, writeExport } from "./export.ts";

const EXPORTED = `
JSON lines: {"export": ...} with the account and the time, {"table": ..., "row": ...} for each row with
the names of tables and columns, and {"end": ...} with the number of rows, without which it is not whole.
Amounts are decimal text, in micro-credits or minor units. Keys and secrets are left out.`;

const ERASED = `
Values of dimensions give way to pseudonyms that nobody can lead back; what people and gateways wrote is
removed, and so are payment method, budgets and dashboard tokens; auto top-up is switched off. Amounts,
times and ids stay, so everything can still be proved. It cannot be undone: export first what has to be
kept. Refused while a subscription runs or anything is under way. Broken off, it goes on when it is run
again; run once more, it changes nothing. Topics keep what they have until their retention has passed.`;

export function addPrivacyCommands(program: Command): void {
  const privacy = program
    .command("privacy")
    .description("export everything held about an account, and erase what is personal of it");
  addCommand(privacy, "export <account>", {
    does: "write everything held about an account as JSON lines",
    examples: [
      "privacy export acme --output acme.jsonl",
      "privacy export acme | gzip > acme.jsonl.gz",
    ],
  })
    .option("--output <file>", "where to; - is standard output", "-")
    .addHelpText("after", EXPORTED)
    .action((id: string, options: ExportOptions) =>
      run(options, (settings) => writeExport(settings, accountIdArgument(id), options)),
    );
  addChangeCommand(privacy, "erase <account>", {
    does: "erase what is personal of an account; its books stay whole and provable",
    examples: ["privacy erase acme --by anna"],
  })
    .option("--yes", "do not ask")
    .addHelpText("after", ERASED)
    .action((id: string, options: ByOption & { readonly yes?: true }) =>
      run(options, (settings) => erase(settings, toRequest(id, options), options.yes === true)),
    );
}

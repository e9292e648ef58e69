import type { Command } from "commander";
import { accountIdArgument, idArgument, limitArgument, wholeArgument } from "../shell/arguments.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { explainEvent } from "./explain-event.ts";
import { explainLot, FIRST_PAGE } from "./explain-lot.ts";

interface EventOptions extends JsonOption {
  readonly account: string;
}

interface LotOptions extends JsonOption {
  readonly limit: string;
  readonly after?: string;
}

const MOST_RECORDS = 10_000;

export function addExplainCommands(program: Command): void {
  const explain = program.command("explain").description("say who paid for what");
  addCommand(explain, "event <event>", {
    does: "say which lots paid for a usage event",
    examples: ["explain event 0198c0de-7a01-7000-8000-5ca1ab1e0001 --account acme"],
  })
    .requiredOption("--account <account>", "whose event it is")
    .action((event: string, options: EventOptions) =>
      run(options, (settings) =>
        explainEvent(settings, accountIdArgument(options.account), idArgument("event", event)),
      ),
    );
  addCommand(explain, "lot <account> <lot>", {
    does: "say what a lot paid for",
    examples: ["explain lot acme invoice-17 --limit 100"],
  })
    .option("--limit <count>", `how many events and charges to list, at most ${MOST_RECORDS}`, "20")
    .option("--after <position>", "go on after the one that starts there, in micro-credits")
    .action((account: string, lot: string, options: LotOptions) =>
      run(options, (settings) =>
        explainLot(settings, accountIdArgument(account), idArgument("lot", lot), toPage(options)),
      ),
    );
}

function toPage({ limit, after }: LotOptions) {
  return {
    limit: limitArgument(limit, MOST_RECORDS),
    after: after === undefined ? FIRST_PAGE : wholeArgument("--after", after, 0n),
  };
}

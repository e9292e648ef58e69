import type { Command } from "commander";
import { accountIdArgument, idArgument } from "../shell/arguments.ts";
import { addPageOptions, type PageOptions, pageArgument } from "../shell/paging.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { explainEvent } from "./explain-event.ts";
import { explainLot } from "./explain-lot.ts";

interface EventOptions extends JsonOption {
  readonly account: string;
  readonly source?: string;
}

export function addExplainCommands(program: Command): void {
  const explain = program.command("explain").description("show which lots paid for what");
  addCommand(explain, "event <event>", {
    does: "show which lots paid for a usage event",
    examples: ["explain event 0198c0de-7a01-7000-8000-5ca1ab1e0001 --account acme"],
  })
    .requiredOption("--account <account>", "whose event it is")
    .option("--source <source>", "its source, needed where events of several sources have the id")
    .action((event: string, options: EventOptions) =>
      run(options, (settings) =>
        explainEvent(settings, {
          accountId: accountIdArgument(options.account),
          eventId: idArgument("event", event),
          source: options.source ?? null,
        }),
      ),
    );
  const lots = addCommand(explain, "lot <account> <lot>", {
    does: "show what a lot paid for",
    examples: ["explain lot acme invoice-17 --limit 100"],
  });
  addPageOptions(lots, "events and charges ").action(
    (account: string, lot: string, options: PageOptions) =>
      run(options, (settings) =>
        explainLot(
          settings,
          accountIdArgument(account),
          idArgument("lot", lot),
          pageArgument(options),
        ),
      ),
  );
}

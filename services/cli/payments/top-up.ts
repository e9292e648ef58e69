import type { Command } from "commander";
import { accountIdArgument } from "../shell/arguments.ts";
import { addChangeCommand, toRequest } from "../shell/change-command.ts";
import { addCommand, forAccount, run } from "../shell/run-command.ts";
import { addTopUpListCommand } from "./payments.ts";
import { type CeilingsOptions, setTopUpCeilings } from "./top-up-ceilings.ts";
import { makeTopUp, type TopUpMakeOptions } from "./top-up-make.ts";
import { setTopUp, type TopUpSetOptions } from "./top-up-set.ts";
import { showTopUpSettings } from "./top-up-settings.ts";

export function addTopUpCommands(program: Command): void {
  const topUp = program
    .command("top-up")
    .description("buy credits by hand, list top-ups, and set auto top-up");
  addChangeCommand(topUp, "settings <account>", {
    does: "show an account's auto top-up: its settings, and whether it is paused or stopped",
    examples: ["top-up settings acme"],
  }).action(forAccount(showTopUpSettings));
  addChangeCommand(topUp, "set <account>", {
    does: "change an account's auto top-up, in its currency; if it was paused or stopped, it starts again",
    examples: [
      "top-up set acme --amount 25 --limit-per-day 100 --limit-per-month 500",
      "top-up set acme --auto off",
      "top-up set acme --amount default",
    ],
  })
    .option("--auto <on|off>", "whether a low balance is topped up")
    .option("--amount <amount>", "what is charged each time, once or a multiple of it; or default")
    .option("--limit-per-day <amount>", "the most for top-ups in a day, or default")
    .option("--limit-per-month <amount>", "the most for top-ups in a month, or default")
    .option(
      "--keep-after-subscription <on|off>",
      "whether it goes on when the subscription ends (default: off)",
    )
    .action((id: string, options: TopUpSetOptions) =>
      run(options, (settings) => setTopUp(settings, toRequest(id, options), options)),
    );
  addChangeCommand(topUp, "ceilings <account>", {
    does: "set the most that an account may be charged for top-ups, whatever its customer sets",
    examples: [
      "top-up ceilings acme --amount 100 --limit-per-day 200 --limit-per-month 1000",
      "top-up ceilings acme --limit-per-month default",
    ],
  })
    .option("--amount <amount>", "the most of one top-up, or default")
    .option("--limit-per-day <amount>", "the most for top-ups in a day, or default")
    .option("--limit-per-month <amount>", "the most for top-ups in a month, or default")
    .action((id: string, options: CeilingsOptions) =>
      run(options, (settings) => setTopUpCeilings(settings, toRequest(id, options), options)),
    );
  addCommand(topUp, "make <account> <amount>", {
    does: "buy credits now, for an amount in the account's currency",
    examples: ["top-up make acme 25", "top-up make acme 9.90 --key order-17"],
  })
    .option(
      "--key <key>",
      "running the command again with the same key charges once (default: a new key)",
    )
    .action((id: string, amount: string, options: TopUpMakeOptions) =>
      run(options, (settings) => makeTopUp(settings, accountIdArgument(id), amount, options)),
    );
  addTopUpListCommand(topUp);
}

import type { Command } from "commander";
import {
  decideSettings,
  type RequestedSettings,
} from "../../../shared/core/changes/change-settings.ts";
import { creditsArgument, overdraftArgument, timeZoneArgument } from "../shell/arguments.ts";
import { addChangeCommand, type ByOption } from "../shell/change-command.ts";
import { WrongUsage } from "../shell/result.ts";
import { runChange } from "../subscription/make-change.ts";

interface SetOptions extends ByOption {
  readonly timeZone?: string;
  readonly threshold?: string;
  readonly overdraft?: string;
}

export function addAccountSetCommand(account: Command): void {
  addChangeCommand(account, "set <account>", {
    does: "change an account's time zone, the balance at which it counts as low, or its overdraft",
    examples: [
      "account set acme --time-zone America/New_York",
      "account set acme --threshold 20 --by support",
      "account set acme --overdraft none",
    ],
  })
    .option("--time-zone <name>", "the time zone of its next months; lots keep their ends")
    .option("--threshold <credits>", "the balance at which the account counts as low")
    .option(
      "--overdraft <credits>",
      "how far below zero holds and allowances may go: credits, none, unlimited or default",
    )
    .action((id: string, options: SetOptions) => {
      const settings = toSettings(options);
      return runChange(id, options, (context) => decideSettings(settings, context));
    });
}

function toSettings({ timeZone, threshold, overdraft }: SetOptions): RequestedSettings {
  if (timeZone === undefined && threshold === undefined && overdraft === undefined) {
    throw new WrongUsage("name what to set: --time-zone, --threshold or --overdraft");
  }
  return {
    timeZone: timeZone === undefined ? undefined : timeZoneArgument(timeZone),
    threshold: threshold === undefined ? undefined : creditsArgument(threshold),
    overdraft: overdraft === undefined ? undefined : overdraftArgument(overdraft),
  };
}

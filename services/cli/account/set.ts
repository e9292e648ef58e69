import type { Command } from "commander";
import {
  type AskedSettings,
  decideSettings,
} from "../../../shared/core/changes/change-settings.ts";
import { creditsArgument, timeZoneArgument } from "../shell/arguments.ts";
import { WrongUsage } from "../shell/result.ts";
import { run } from "../shell/run-command.ts";
import {
  addChangeCommand,
  type ByOption,
  makeChange,
  toAsked,
} from "../subscription/make-change.ts";

interface SetOptions extends ByOption {
  readonly timeZone?: string;
  readonly threshold?: string;
}

export function addAccountSetCommand(account: Command): void {
  addChangeCommand(account, "set <account>", {
    does: "move an account to another time zone, change what counts as a low balance, or both",
    examples: [
      "account set acme --time-zone America/New_York",
      "account set acme --threshold 20 --by support",
    ],
  })
    .option("--time-zone <name>", "whose calendar its next months follow; lots keep their ends")
    .option("--threshold <credits>", "a balance that falls to it is low")
    .action((id: string, options: SetOptions) =>
      run(options, (settings) => {
        const [asked, toSet] = [toAsked(id, options), toSettings(options)];
        return makeChange(settings, asked, (context) => decideSettings(toSet, context));
      }),
    );
}

function toSettings({ timeZone, threshold }: SetOptions): AskedSettings {
  if (timeZone === undefined && threshold === undefined) {
    throw new WrongUsage("name what to set: --time-zone, --threshold or both");
  }
  return {
    timeZone: timeZone === undefined ? undefined : timeZoneArgument(timeZone),
    threshold: threshold === undefined ? undefined : creditsArgument(threshold),
  };
}

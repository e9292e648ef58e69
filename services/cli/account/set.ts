import type { Command } from "commander";
import { inTurn, setThreshold, setTimeZone } from "../../../shared/words/account-changes.ts";
import type { Change } from "../../../shared/words/change.ts";
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
      run(options, (settings) => makeChange(settings, toAsked(id, options), toChange(options))),
    );
}

function toChange({ timeZone, threshold }: SetOptions): Change {
  const toZone = timeZone === undefined ? null : setTimeZone(timeZoneArgument(timeZone));
  const toThreshold = threshold === undefined ? null : setThreshold(creditsArgument(threshold));
  // The threshold first: another zone's month may have turned already, and is settled next.
  if (toThreshold !== null) return toZone === null ? toThreshold : inTurn(toThreshold, toZone);
  if (toZone !== null) return toZone;
  throw new WrongUsage("name what to set: --time-zone, --threshold or both");
}

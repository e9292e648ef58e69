import type { Command } from "commander";
import { decideThreshold } from "../../shared/core/change-threshold.ts";
import { decideTimeZoneChange } from "../../shared/core/change-time-zone.ts";
import type { MicroCredits } from "../../shared/core/credit-line.ts";
import { formatCredits } from "../../shared/core/credits-text.ts";
import { inOne } from "../../shared/core/subscription-change.ts";
import { creditsArgument, timeZoneArgument } from "./arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type Change,
  makeChange,
  refusal,
  toAsked,
} from "./make-change.ts";
import { WrongUsage } from "./result.ts";
import { run } from "./run-command.ts";
import { subject } from "./subscription-changes.ts";

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

/** Both changes, or the refusal of either. */
function inTurn(first: Change, then: Change): Change {
  return (context) => {
    const before = first(context);
    if (before.kind === "refused") return before;
    const after = then({ ...context, book: before });
    return after.kind === "refused" ? after : inOne(before, after);
  };
}

function setTimeZone(timeZone: string): Change {
  return (context) => {
    const decision = decideTimeZoneChange(timeZone, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "unknown_time_zone":
        return refusal(`there is no time zone ${timeZone}`);
      case "no_change":
        return refusal(`${subject(context)} is in time zone ${timeZone} already`);
    }
  };
}

function setThreshold(threshold: MicroCredits): Change {
  return (context) => {
    const decision = decideThreshold(threshold, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "no_change":
        return refusal(
          `the threshold of ${subject(context)} is ${formatCredits(threshold)} credits already`,
        );
    }
  };
}

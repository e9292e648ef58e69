import type { Command } from "commander";
import { noun } from "../../../shared/contract/noun.ts";
import { addOnFields, toSchedule } from "../../../shared/contract/subscription.ts";
import { type AddOnUnits, decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, idArgument, wholeArgument } from "../shell/arguments.ts";
import { printable } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { addOnsText } from "./add-on-text.ts";
import { addChangeCommand, type ByOption, makeChange, toAsked } from "./make-change.ts";
import { readSubscription } from "./read-subscription.ts";

export function addAddOnCommands(program: Command): void {
  const addOn = program.command("add-on").description("set, cancel and list accounts' add-ons");
  addChangeCommand(addOn, "set <account> <add-on> <units>", {
    does: "set how many units of an add-on an account has: more are charged at once, fewer hold from the next period on",
    examples: ["add-on set acme voice_cloning 3"],
  }).action((id: string, addOnId: string, units: string, options: ByOption) =>
    set(id, toUnits(addOnId, units), options),
  );
  addChangeCommand(addOn, "cancel <account> <add-on>", {
    does: "cancel an add-on from the next period on",
    examples: ["add-on cancel acme voice_cloning"],
  }).action((id: string, addOnId: string, options: ByOption) =>
    set(id, toUnits(addOnId, "0"), options),
  );
  addCommand(addOn, "list <account>", {
    does: "list the add-ons in use, and the charges that wait",
    examples: ["add-on list acme"],
  }).action((id: string, options: JsonOption) =>
    run(options, (settings) => list(settings, accountIdArgument(id))),
  );
}

function set(id: string, asked: AddOnUnits, options: ByOption): Promise<void> {
  return run(options, (settings) =>
    makeChange(settings, toAsked(id, options), (context) => decideAddOn(asked, context)),
  );
}

function toUnits(addOnId: string, units: string): AddOnUnits {
  return {
    addOnId: idArgument("add-on", addOnId),
    units: Number(wholeArgument("units", units, 0n)),
  };
}

const listed = noun(addOnFields);

async function list(settings: Settings, accountId: AccountId): Promise<Result> {
  const read = await readSubscription(settings, accountId);
  if (read === null) return noAccount(accountId);
  const text = addOnsText(read);
  return shown(
    listed,
    toSchedule(read, read.now),
    text === "" ? `Account ${printable(accountId)} has no add-ons.` : text,
  );
}

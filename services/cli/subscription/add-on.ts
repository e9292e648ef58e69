import type { Command } from "commander";
import { noun } from "../../../shared/contract/noun.ts";
import { addOnFields, toSchedule } from "../../../shared/contract/subscription.ts";
import { decideAddOn } from "../../../shared/core/changes/set-add-on.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { idArgument, wholeArgument } from "../shell/arguments.ts";
import { addChangeCommand, type ByOption } from "../shell/change-command.ts";
import { printable } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addCommand, forAccount } from "../shell/run-command.ts";
import { addOnsText } from "./add-on-text.ts";
import { runChange } from "./make-change.ts";
import { readSubscription } from "./read-subscription.ts";

export function addAddOnCommands(program: Command): void {
  const addOn = program.command("add-on").description("set, cancel and list accounts' add-ons");
  addChangeCommand(addOn, "set <account> <add-on> <units>", {
    does: "set how many units of an add-on an account has: more are charged immediately, fewer apply from the next period on",
    examples: ["add-on set acme voice_cloning 3"],
  }).action(set);
  addChangeCommand(addOn, "cancel <account> <add-on>", {
    does: "cancel an add-on from the next period on",
    examples: ["add-on cancel acme voice_cloning"],
  }).action((id: string, addOnId: string, options: ByOption) => set(id, addOnId, "0", options));
  addCommand(addOn, "list <account>", {
    does: "list the add-ons in use, and charges that are not posted yet",
    examples: ["add-on list acme"],
  }).action(forAccount(list));
}

function set(id: string, addOn: string, count: string, options: ByOption): Promise<void> {
  const addOnId = idArgument("add-on", addOn);
  const units = Number(wholeArgument("units", count, 0n));
  return runChange(id, options, (context) => decideAddOn({ addOnId, units }, context));
}

const listed = noun(addOnFields);

async function list(settings: Settings, accountId: AccountId): Promise<Result> {
  const subscription = await readSubscription(settings, accountId);
  if (subscription === null) return noAccount(accountId);
  const text = addOnsText(subscription);
  return shown(
    listed,
    toSchedule(subscription, subscription.now),
    text === "" ? `Account ${printable(accountId)} has no add-ons.` : text,
  );
}

import type { Command } from "commander";
import type { AccountId } from "../../shared/core/account.ts";
import { formatCredits } from "../../shared/core/credits-text.ts";
import { type AddOnUnits, decideAddOn, MAX_ADD_ON_UNITS } from "../../shared/core/set-add-on.ts";
import type { ChangeContext } from "../../shared/core/subscription-change.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { addOnsJson, addOnsText } from "./add-on-text.ts";
import { accountIdArgument, idArgument, wholeArgument } from "./arguments.ts";
import {
  addChangeCommand,
  type ByOption,
  type Change,
  makeChange,
  refusal,
  toAsked,
} from "./make-change.ts";
import { countOf, formatInstant, printable } from "./print.ts";
import { readSubscription } from "./read-subscription.ts";
import { type Result, refused, shown } from "./result.ts";
import { addCommand, type JsonOption, run } from "./run-command.ts";
import { noSubscription, subject, suspended } from "./subscription-changes.ts";

export function addAddOnCommands(program: Command): void {
  const addOn = program.command("add-on").description("set, cancel and list accounts' add-ons");
  addChangeCommand(addOn, "set <account> <add-on> <units>", {
    does: "set how many units of an add-on an account has: more are charged at once, fewer hold from the next period on",
    examples: ["add-on set acme voice_cloning 3"],
  }).action((id: string, addOnId: string, units: string, options: ByOption) =>
    run(options, (settings) =>
      makeChange(settings, toAsked(id, options), setAddOn(toUnits(addOnId, units))),
    ),
  );
  addChangeCommand(addOn, "cancel <account> <add-on>", {
    does: "cancel an add-on from the next period on",
    examples: ["add-on cancel acme voice_cloning"],
  }).action((id: string, addOnId: string, options: ByOption) =>
    run(options, (settings) =>
      makeChange(settings, toAsked(id, options), setAddOn(toUnits(addOnId, "0"))),
    ),
  );
  addCommand(addOn, "list <account>", {
    does: "list the add-ons in use, and the charges that wait",
    examples: ["add-on list acme"],
  }).action((id: string, options: JsonOption) =>
    run(options, (settings) => list(settings, accountIdArgument(id))),
  );
}

function toUnits(addOnId: string, units: string): AddOnUnits {
  return {
    addOnId: idArgument("add-on", addOnId),
    units: Number(wholeArgument("units", units, 0n)),
  };
}

function setAddOn(asked: AddOnUnits): Change {
  return (context) => {
    const decision = decideAddOn(asked, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "invalid_quantity":
        return refusal(
          `an account can have ${countOf(MAX_ADD_ON_UNITS, "unit")} of an add-on at most`,
        );
      case "no_subscription":
        return noSubscription(context);
      case "suspended":
        return suspended(context);
      case "unknown_add_on":
        return refusal(
          `there is no add-on ${asked.addOnId} now; catalogue show lists what is on offer`,
        );
      case "no_change":
        return refusal(standing(asked, context));
      case "overflow":
        return refusal(
          `${subject(context)} cannot be charged that much: at most ${formatCredits(decision.most)} credits are possible`,
        );
    }
  };
}

function standing({ addOnId, units }: AddOnUnits, context: ChangeContext): string {
  const { addOns, subscription } = context.book.schedule;
  const owed = addOns.find((use) => use.addOnId === addOnId)?.quantity ?? 0;
  if (owed === 0) return `${subject(context)} does not have add-on ${addOnId}`;
  if (units === owed) {
    return `${subject(context)} has ${countOf(units, "unit")} of add-on ${addOnId} already`;
  }
  const from = formatInstant(subscription?.nextPeriodAt ?? null);
  return `${subject(context)} has ${countOf(units, "unit")} of add-on ${addOnId} from ${from} on already`;
}

async function list(settings: Settings, accountId: AccountId): Promise<Result> {
  const read = await readSubscription(settings, accountId);
  if (read === null) return refused(`there is no account ${accountId}`);
  const text = addOnsText(read);
  return shown(
    { account_id: accountId, ...addOnsJson(read) },
    text === "" ? `Account ${printable(accountId)} has no add-ons.` : text,
  );
}

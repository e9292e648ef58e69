import { type AddOnUnits, decideAddOn, MAX_ADD_ON_UNITS } from "../core/changes/set-add-on.ts";
import type { ChangeContext } from "../core/changes/subscription-change.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { type Change, refusal, subject } from "./change.ts";
import { countOf, formatInstant } from "./plain-words.ts";
import { noSubscription, suspended } from "./subscription-changes.ts";

export function setAddOn(asked: AddOnUnits): Change {
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

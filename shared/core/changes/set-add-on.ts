import type { Refusal } from "../line/refusal.ts";
import { addOnPrice, chargeAddOn, mostToDraw } from "../month/add-on-charge.ts";
import { settleEnded } from "../month/settle.ts";
import type { AddOnUse, Schedule, Subscription } from "../month/subscription.ts";
import { type AddOn, addOnAt } from "../offer/catalogue.ts";
import { type ChangeContext, type Changed, changed, suspended } from "./subscription-change.ts";

/** The units of an add-on that an account is to have; 0 cancels it. */
export interface AddOnUnits {
  readonly addOnId: string;
  readonly units: number;
}

export const MAX_ADD_ON_UNITS = 1_000_000;

type AddOnDecision =
  | Changed
  | Refusal<"no_subscription" | "subscription_suspended" | "no_change">
  | Refusal<"unknown_add_on" | "invalid_quantity" | "overflow">;

/**
 * Sets the units of an add-on. Units beyond what this period owes are charged immediately, for the
 * whole period, to lots that have not ended. Fewer units take effect with the next period; choosing the
 * current number takes that back.
 */
export function decideAddOn({ addOnId, units }: AddOnUnits, context: ChangeContext): AddOnDecision {
  const { catalogue, now } = context;
  const { schedule } = context.book;
  if (!Number.isInteger(units) || units < 0 || units > MAX_ADD_ON_UNITS) {
    return { kind: "invalid_quantity", most: MAX_ADD_ON_UNITS };
  }
  const { subscription } = schedule;
  if (subscription === null) return { kind: "no_subscription" };
  const addOn = addOnAt(catalogue, addOnId, now);
  if (addOn === null) return { kind: "unknown_add_on", addOnId };
  const use = schedule.addOns.find((one) => one.addOnId === addOnId) ?? noneOf(addOnId);
  if (units === use.nextQuantity) {
    const from = units === use.quantity ? null : subscription.nextPeriodAt;
    return { kind: "no_change", setting: "add_on", addOnId, units, from };
  }
  if (units <= use.quantity) return planned(units, use, context);
  if (subscription.withheld !== null) return suspended(subscription);
  return activate(units, use, addOn, subscription, context);
}

function planned(units: number, use: AddOnUse, context: ChangeContext): Changed {
  const detail = { add_on: use.addOnId, units: `${units}` };
  const schedule = withUse(context.book.schedule, { ...use, nextQuantity: units });
  return changed(context, { kind: "add_on_change_planned", detail }, { schedule });
}

function activate(
  units: number,
  use: AddOnUse,
  addOn: AddOn,
  { number, period }: Subscription,
  context: ChangeContext,
): Changed | Refusal<"overflow"> {
  const ended = settleEnded(context.book, context.now);
  const { account: before, schedule } = ended;
  const { addOnId, quantity: owed } = use;
  const credits = addOnPrice(addOn, BigInt(units - owed));
  const most = mostToDraw(before);
  if (credits > most) return { kind: "overflow", most };
  const charge = { addOnId, number, period, owed, units, credits, dueAt: context.now };
  const { account, entry } = chargeAddOn(before, charge);
  const detail = { add_on: addOnId, units: `${units}`, before: `${owed}` };
  const after = {
    account,
    schedule: withUse(schedule, { addOnId, quantity: units, nextQuantity: units }),
    entries: [entry],
  };
  const change = { kind: "add_on_changed", detail } as const;
  return { ...changed({ ...context, book: ended }, change, after), ended };
}

function noneOf(addOnId: string): AddOnUse {
  return { addOnId, quantity: 0, nextQuantity: 0 };
}

function withUse(schedule: Schedule, use: AddOnUse): Schedule {
  const others = schedule.addOns.filter(({ addOnId }) => addOnId !== use.addOnId);
  const addOns = [...others, use].sort((a, b) => (a.addOnId < b.addOnId ? -1 : 1));
  return { ...schedule, addOns };
}

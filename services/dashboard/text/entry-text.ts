import { REFERENCE } from "../../../shared/core/line/reference.ts";
import { moneyFirst } from "./payment-text.ts";

const NAMES: Readonly<Record<string, string>> = {
  grant: "Credits added",
  expiry: "Expired, unused",
  add_on_charge: "Add-on",
  adjustment: "Adjustment",
  reversal: "Reversed",
  withdrawal: "Withdrawn",
};

/** An entry in words: "Add-on · voice cloning, 2 more units". */
export function entryText(entry: { readonly kind: string; readonly reference: string }): string {
  const { kind, reference } = entry;
  const late = kind === "reversal" ? REFERENCE.lateUsage.read(reference) : null;
  if (late !== null) return `Expired credits given back · late usage ${late.eventId}`;
  const name = NAMES[kind] ?? kind.replaceAll("_", " ");
  const detail = kind === "add_on_charge" ? addOnText(reference) : moneyFirst(reference);
  return detail === "" ? name : `${name} · ${detail}`;
}

function addOnText(reference: string): string {
  const charge = REFERENCE.addOnCharge.read(reference);
  if (charge === null) return reference;
  const units = charge.units - charge.owed;
  const name = addOnName(charge.addOnId);
  return units === 1 ? name : `${name}, ${units} units`;
}

/** An add-on's id in words. */
export function addOnName(id: string): string {
  return id.replaceAll(/[._-]+/g, " ");
}

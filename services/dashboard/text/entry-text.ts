import { PLAN_LOT, REFERENCE } from "../../../shared/core/line/reference.ts";
import { countText } from "./credit-text.ts";
import { addOnName, planName } from "./display-names.ts";
import { referenceText } from "./payment-text.ts";

const EXPIRED = "Expired, unused";
const TAKEN_BACK = { refund: "Payment refunded", chargeback: "Payment charged back" };

const NAMES: Readonly<Record<string, string>> = {
  grant: "Credits added",
  expiry: EXPIRED,
  add_on_charge: "Add-on",
  adjustment: "Adjustment",
  reversal: "Reversed",
  withdrawal: "Withdrawn",
};

interface NamedEntry {
  readonly kind: string;
  readonly lot_id: string | null;
  readonly reference: string;
}

/** An entry in words: "Add-on · voice cloning, 2 more units". */
export function entryText(entry: NamedEntry): string {
  const { kind, reference } = entry;
  const automatic = automaticText(entry);
  if (automatic !== null) return automatic;
  const name = NAMES[kind] ?? kind.replaceAll("_", " ");
  const detail = kind === "add_on_charge" ? addOnText(reference) : lotText(entry);
  return detail === "" ? name : `${name} · ${detail}`;
}

/** An entry whose reference is an id for the books and no words for the customer; null: any other. */
function automaticText({ kind, reference }: NamedEntry): string | null {
  if (kind === "expiry" && REFERENCE.expiry.read(reference) !== null) return EXPIRED;
  if (kind !== "reversal") return null;
  const late = REFERENCE.lateUsage.read(reference);
  if (late !== null) return `Expired credits given back · late usage ${late.eventId}`;
  const back = REFERENCE.takenBack.read(reference);
  return back === null ? null : TAKEN_BACK[back.kind];
}

/** A plan's lots refer to the plan, a top-up's to the money. */
function lotText({ lot_id, reference }: NamedEntry): string {
  return lot_id?.startsWith(PLAN_LOT) ? planName(reference) : referenceText(reference);
}

function addOnText(reference: string): string {
  const charge = REFERENCE.addOnCharge.read(reference);
  if (charge === null) return reference;
  const units = charge.units - charge.owed;
  const name = addOnName(charge.addOnId);
  return units === 1 ? name : `${name}, ${countText(BigInt(units))} units`;
}

import { instantText } from "./json-value.ts";
import type { Usage } from "./usage.ts";

/** Fields of `data` that are no dimensions. */
const OWN = ["quantity", "quantities", "hold_id"];

/**
 * Usage as a CloudEvents 1.0 event, with defaults for what is missing. Throws TypeError for a dimension with the name
 * of one of its own fields, which it cannot have: it would be lost, or taken for a hold.
 */
export function cloudEventOf(
  usage: Usage,
  filled: { readonly id: string; readonly source: string; readonly now: number },
) {
  const { accountId, meter, quantity, eventId, occurredAt, source, dimensions, quantities } = usage;
  const taken = OWN.find((name) => Object.hasOwn(dimensions ?? {}, name));
  if (taken !== undefined) {
    throw new TypeError(
      `a dimension cannot be called ${taken} here: data.${taken} is the event's own`,
    );
  }
  const hold = usage.holdId == null ? {} : { hold_id: usage.holdId };
  return {
    specversion: "1.0",
    id: eventId ?? filled.id,
    source: source ?? filled.source,
    type: meter,
    subject: accountId,
    time: instantText("occurredAt", occurredAt ?? filled.now),
    data: { ...dimensions, quantity: String(quantity), ...furtherOf(quantities ?? {}), ...hold },
  };
}

function furtherOf(quantities: NonNullable<Usage["quantities"]>) {
  const further = Object.entries(quantities).map(([meter, each]) => [meter, String(each)] as const);
  return further.length === 0 ? {} : { quantities: Object.fromEntries(further) };
}

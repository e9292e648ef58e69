import type { Usage } from "./usage.ts";

/** Usage as a CloudEvents 1.0 event, with defaults for what is missing. */
export function cloudEventOf(
  usage: Usage,
  filled: { readonly id: string; readonly source: string; readonly now: number },
) {
  const { accountId, meter, quantity, eventId, occurredAt, source, dimensions, quantities } = usage;
  const hold = usage.holdId ? { hold_id: usage.holdId } : {};
  return {
    specversion: "1.0",
    id: eventId ?? filled.id,
    source: source ?? filled.source,
    type: meter,
    subject: accountId,
    time: new Date(occurredAt ?? filled.now).toISOString(),
    data: { ...dimensions, quantity: String(quantity), ...furtherOf(quantities ?? {}), ...hold },
  };
}

function furtherOf(quantities: NonNullable<Usage["quantities"]>) {
  const further = Object.entries(quantities).map(([meter, each]) => [meter, String(each)] as const);
  return further.length === 0 ? {} : { quantities: Object.fromEntries(further) };
}

import type { Usage } from "./usage.ts";

/** Usage as a CloudEvents 1.0 event, with defaults for what is missing. */
export function cloudEventOf(
  usage: Usage,
  filled: { readonly id: string; readonly source: string; readonly now: number },
) {
  const { accountId, meter, quantity, eventId, occurredAt, source, dimensions } = usage;
  return {
    specversion: "1.0",
    id: eventId ?? filled.id,
    source: source ?? filled.source,
    type: meter,
    subject: accountId,
    time: new Date(occurredAt ?? filled.now).toISOString(),
    data: { ...dimensions, quantity: String(quantity) },
  };
}

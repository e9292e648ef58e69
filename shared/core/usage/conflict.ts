import { formatInstant } from "../text/instant-text.ts";
import type { Quantities } from "./event-lines.ts";
import type { Rejection, UsageEvent } from "./usage-event.ts";

/** Why an event cannot be metered whose identity was metered with other content: what differs, and from what. */
export function conflictWith(before: UsageEvent, event: UsageEvent): Rejection {
  const differs = [
    ...FIELDS.flatMap(([name, show]) => difference(name, show(before), show(event))),
    ...differingQuantities(before.quantities, event.quantities),
  ];
  const onlyTime = differs.length === 1 && before.occurredAt !== event.occurredAt;
  const help = onlyTime ? "; publish a retry with the occurred_at of the first attempt" : "";
  return { reason: "conflict", detail: `metered before: ${differs.join("; ")}${help}` };
}

type Show = (event: UsageEvent) => string;

const FIELDS: readonly (readonly [name: string, show: Show])[] = [
  ["quantity", ({ quantity }) => String(quantity)],
  ["meter", ({ meter }) => meter],
  ["occurred_at", ({ occurredAt }) => formatInstant(occurredAt)],
  ["hold_id", ({ holdId }) => holdId ?? "none"],
  ["dimensions", ({ dimensions }) => JSON.stringify(dimensions, Object.keys(dimensions).sort())],
];

function differingQuantities(before: Quantities, after: Quantities): string[] {
  const meters = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...meters]
    .sort()
    .flatMap((meter) =>
      difference(`quantity of ${meter}`, quantityOf(before, meter), quantityOf(after, meter)),
    );
}

function quantityOf(quantities: Quantities, meter: string): string {
  return Object.hasOwn(quantities, meter) ? String(quantities[meter]) : "none";
}

function difference(name: string, was: string, is: string): string[] {
  return was === is ? [] : [`${name} is ${is}, was ${was}`];
}

import { type EventWindow, rejectEvent, type UsageEvent } from "../core/usage/usage-event.ts";
import type { Usage } from "./usage.ts";

/** The usage is invalid and was not published. */
export class InvalidUsage extends Error {}

/**
 * The event of usage, complete: with an id of its own, now and `source` where the usage says none. Throws
 * InvalidUsage for what metering would refuse, by the same rules.
 */
export function toUsageEvent(
  usage: Usage,
  source: string,
  window: EventWindow,
  newId: (now: number) => string,
): UsageEvent {
  const now = Date.now();
  const event: UsageEvent = {
    eventId: toText("eventId", usage.eventId ?? newId(now)),
    accountId: toText("accountId", usage.accountId),
    meter: toText("meter", usage.meter),
    quantity: toQuantity("quantity", usage.quantity),
    occurredAt: Number(usage.occurredAt ?? now),
    source: toText("source", usage.source ?? source),
    dimensions: toDimensions(usage.dimensions ?? {}),
    quantities: toQuantities(usage.quantities ?? {}),
    holdId: usage.holdId == null ? null : toText("holdId", usage.holdId),
  };
  const rejection = Number.isSafeInteger(event.occurredAt)
    ? rejectEvent(event, now, window)
    : { reason: "malformed", detail: "occurredAt is not a date" };
  if (rejection === null) return event;
  throw new InvalidUsage(`usage not published (${rejection.reason}): ${rejection.detail}`);
}

/** Checks the type for JavaScript callers, as the functions below do. Throws InvalidUsage. */
export function toText(field: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new InvalidUsage(`usage not published: ${field} is not text`);
}

function toQuantity(name: string, quantity: unknown): bigint {
  if (typeof quantity !== "number" && typeof quantity !== "bigint") {
    throw new InvalidUsage(`usage not published: ${name} is not a number or a bigint`);
  }
  if (typeof quantity === "number" && !Number.isSafeInteger(quantity)) {
    const whole = "is not a whole number of less than 2^53; larger ones take a bigint";
    throw new InvalidUsage(`usage not published: ${name} ${quantity} ${whole}`);
  }
  return BigInt(quantity);
}

/** Copies the further quantities, as the caller may change them. */
function toQuantities(quantities: Readonly<Record<string, unknown>>): Record<string, bigint> {
  const whole = Object.entries(quantities).map(([meter, quantity]) => {
    return [meter, toQuantity(`the quantity of ${meter}`, quantity)] as const;
  });
  return Object.fromEntries(whole);
}

/** Copies the dimensions, as the caller may change them. */
function toDimensions(dimensions: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(dimensions).map(([key, value]): [string, string] => {
    if (typeof value === "string") return [key, value];
    throw new InvalidUsage(`usage not published: dimension ${key} is not text`);
  });
  return Object.fromEntries(texts);
}

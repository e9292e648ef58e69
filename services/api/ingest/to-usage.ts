import type { Instant } from "../../../shared/core/line/account.ts";
import type { DataPath, Feed } from "../../../shared/core/offer/feed.ts";
import { type FeedCard, feedsAt } from "../../../shared/core/offer/feed-card.ts";
import { NO_QUANTITIES, type Quantities } from "../../../shared/core/usage/event-lines.ts";
import type { EventWindow, UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { type CloudEvent, readCloudEvent } from "./cloud-event.ts";
import { fieldOf, isObject, type Json, type JsonObject, kindOf } from "./json.ts";
import { quantityOf } from "./quantity.ts";
import { malformed, type Refusal } from "./refusal.ts";
import { refuseUsage } from "./refuse-usage.ts";

export interface IngestRules {
  readonly feeds: FeedCard;
  readonly window: EventWindow;
  readonly now: Instant;
}

export interface TakenEvent {
  readonly kind: "taken";
  /** One for each meter that the event feeds. */
  readonly usage: readonly UsageEvent[];
}

/**
 * Converts a CloudEvent into usage: all of it, or a refusal. Usage of the meter named by the type has
 * the event's id. Usage of fed meters has the id `<id>/<meter>`, even if there is only one, so that
 * adding a second meter later changes no id.
 */
export function toUsage(given: Json, rules: IngestRules): TakenEvent | Refusal {
  const event = readCloudEvent(given, rules.now);
  if (event.kind === "refused") return event;
  const feeds = feedsAt(rules.feeds, event.type, event.occurredAt);
  const holdId = holdOf(event);
  if (holdId !== null && typeof holdId !== "string") return holdId;
  const usage: UsageEvent[] = [];
  for (const found of feeds.size === 0 ? [namedLikeType(event)] : fed(event, feeds)) {
    if ("kind" in found) return found;
    const used = { ...found.usage, holdId };
    const refusal = refuseUsage(used, found.valueField, event, rules);
    if (refusal !== null) return refusal;
    usage.push(used);
  }
  return { kind: "taken", usage };
}

const QUANTITIES = "quantities";
const HOLD_ID = "hold_id";

/** The hold that all usage of the event uses; null: none. */
function holdOf({ data }: CloudEvent): string | null | Refusal {
  const given = fieldOf(data, HOLD_ID) ?? null;
  if (given === null || typeof given === "string") return given;
  return malformed(`data.${HOLD_ID}`, `must be text, not ${kindOf(given)}`);
}

interface MeterUsage {
  readonly usage: Omit<UsageEvent, "holdId">;
  /** The field that holds the quantity. */
  readonly valueField: string;
}

function namedLikeType(event: CloudEvent): MeterUsage | Refusal {
  const { data } = event;
  const name =
    Object.hasOwn(data, "quantity") || !Object.hasOwn(data, "value") ? "quantity" : "value";
  const valueField = `data.${name}`;
  const quantity = quantityOf(fieldOf(data, name), valueField);
  if (typeof quantity !== "bigint") return quantity;
  const quantities = furtherQuantities(fieldOf(data, QUANTITIES) ?? null);
  if ("kind" in quantities) return quantities;
  const dimensions: [string, string][] = [];
  for (const key of Object.keys(data)) {
    const isOther = key === name || key === QUANTITIES || key === HOLD_ID;
    const text = isOther ? null : scalarText(data[key]);
    if (text !== null) dimensions.push([key, text]);
  }
  const usage = usageOf(event, event.id, event.type, quantity, dimensions);
  return { usage: { ...usage, quantities: quantities.byMeter }, valueField };
}

/** The quantities of further meters; those of fed meters are where their feeds say. */
function furtherQuantities(given: Json): { readonly byMeter: Quantities } | Refusal {
  if (given === null) return { byMeter: NO_QUANTITIES };
  const field = `data.${QUANTITIES}`;
  if (!isObject(given)) {
    return malformed(field, `must be an object of meters and quantities, not ${kindOf(given)}`);
  }
  const byMeter: [string, bigint][] = [];
  for (const meter of Object.keys(given)) {
    const quantity = quantityOf(given[meter], `${field}.${meter}`);
    if (typeof quantity !== "bigint") return quantity;
    byMeter.push([meter, quantity]);
  }
  return { byMeter: Object.fromEntries(byMeter) };
}

function* fed(
  event: CloudEvent,
  feeds: ReadonlyMap<string, Feed>,
): Generator<MeterUsage | Refusal> {
  for (const [meter, feed] of feeds) yield fedTo(event, meter, feed);
}

function fedTo(event: CloudEvent, meter: string, feed: Feed): MeterUsage | Refusal {
  const valueField = feed.value === null ? "type" : fieldText(feed.value);
  const quantity =
    feed.value === null ? 1n : quantityOf(follow(event.data, feed.value), valueField);
  if (typeof quantity !== "bigint") {
    return { ...quantity, detail: `${quantity.detail}; it feeds meter ${meter}` };
  }
  const dimensions: [string, string][] = [];
  for (const [name, path] of feed.dimensions) {
    const value = follow(event.data, path) ?? null;
    const text = scalarText(value);
    if (text !== null) dimensions.push([name, text]);
    else if (value !== null) {
      const wanted = `must be text, a number, true or false, not ${kindOf(value)}`;
      return malformed(fieldText(path), `${wanted}; it is dimension ${name} of meter ${meter}`);
    }
  }
  return { usage: usageOf(event, `${event.id}/${meter}`, meter, quantity, dimensions), valueField };
}

function usageOf(
  { subject, source, occurredAt }: CloudEvent,
  eventId: string,
  meter: string,
  quantity: bigint,
  dimensions: readonly (readonly [string, string])[],
): MeterUsage["usage"] {
  return {
    eventId,
    accountId: subject,
    meter,
    quantity,
    occurredAt,
    source,
    dimensions: Object.fromEntries(dimensions),
    quantities: NO_QUANTITIES,
  };
}

function follow(data: JsonObject, path: DataPath): Json | undefined {
  let at: Json | undefined = data;
  for (const name of path) at = isObject(at) ? fieldOf(at, name) : undefined;
  return at;
}

/** Strings, numbers and booleans as text; null for everything else. */
function scalarText(value: Json | undefined): string | null {
  if (typeof value === "string") return value;
  return value === undefined || typeof value === "object" ? null : String(value);
}

function fieldText(path: DataPath): string {
  return `data.${path.join(".")}`;
}

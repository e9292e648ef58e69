import type { Instant } from "../line/account.ts";
import { MAX_BIGINT } from "../line/credit-line.ts";
import { isErased } from "../text/erased.ts";
import { idProblem, isStorable } from "../text/text.ts";
import { type EventLine, linesOf, type Quantities, type UsedMeters } from "./event-lines.ts";

/** What a product service publishes. */
export interface UsageEvent {
  readonly eventId: string;
  readonly accountId: string;
  readonly meter: string;
  /** In the meter's smallest whole unit. */
  readonly quantity: bigint;
  readonly occurredAt: Instant;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Of further meters: the same use, one identity. */
  readonly quantities: Quantities;
  /** The hold of its account that it uses; null: none. */
  readonly holdId: string | null;
}

/** What identifies an event within its account: as in CloudEvents, its source and its id together. */
export type EventName = Pick<UsageEvent, "source" | "eventId">;

/** What identifies an event. */
export type EventIdentity = EventName & Pick<UsageEvent, "accountId">;

/** The identity of an event. The same identity again is a repeat, or a conflict if the content differs. */
export function identityOf({ accountId, source, eventId }: EventIdentity): string {
  return `${accountId}\0${source}\0${eventId}`;
}

/** A usage event with the partition and offset at which it was read. */
export interface ReceivedEvent extends UsageEvent {
  readonly partition: number;
  readonly offset: bigint;
}

/** How far an event's `occurred_at` may be from the clock, in milliseconds. */
export interface EventWindow {
  readonly maxAheadMs: number;
  readonly maxBehindMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** No event is accepted further ahead of the clock than this: a day, in milliseconds. */
export const MOST_AHEAD_MS = DAY_MS;

/** The default window of event times: 5 minutes ahead, 35 days back. */
export const DEFAULT_WINDOW: EventWindow = {
  maxAheadMs: 5 * 60 * 1000,
  maxBehindMs: 35 * DAY_MS,
};

/**
 * The window of a retried dead letter. It may be of any age, because a person has decided about it. It
 * may not be further ahead than others: a price that begins before it may still be set.
 */
export function windowOfRetry({ maxAheadMs }: EventWindow, now: Instant): EventWindow {
  return { maxAheadMs, maxBehindMs: now - FIRST_INSTANT };
}

/** The window without what occurred before the events that are kept: of that, a repeat cannot be told. */
export function windowOfKept(window: EventWindow, keptSince: Instant, now: Instant): EventWindow {
  return { ...window, maxBehindMs: Math.min(window.maxBehindMs, now - keptSince) };
}

const FIRST_INSTANT: Instant = 0;

/** Why an event cannot be metered. `detail` is for the person who decides about the dead letter. */
export interface Rejection {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** The meter that has no price. Default: the event's. */
  readonly meter?: string;
}

export const DEAD_LETTER_REASONS = [
  "unreadable",
  "unknown_schema",
  "malformed",
  "unknown_account",
  "unknown_meter",
  "no_price",
  "negative_quantity",
  "overflow",
  "too_far_ahead",
  "too_long_ago",
  "conflict",
  "lost_to_retention",
  "missed",
] as const;

export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

export const MAX_SOURCE_LENGTH = 1024;
export const MAX_DIMENSIONS = 64;
export const MAX_DIMENSION_LENGTH = 1024;
/** The most further meters of an event. */
export const MAX_QUANTITIES = 15;

/** What is wrong with an event, whatever its account: text, quantity or time, in that order; null: nothing. */
export function rejectEvent(
  event: UsageEvent,
  now: Instant,
  window: EventWindow,
): Rejection | null {
  const malformed =
    TEXT_PROBLEM.eventId(event.eventId) ??
    TEXT_PROBLEM.accountId(event.accountId) ??
    TEXT_PROBLEM.meter(event.meter) ??
    TEXT_PROBLEM.source(event.source) ??
    TEXT_PROBLEM.dimensions(event.dimensions) ??
    quantitiesProblem(event) ??
    (event.holdId === null ? null : TEXT_PROBLEM.holdId(event.holdId));
  if (malformed !== null) return { reason: "malformed", detail: malformed };
  for (const line of linesOf(event)) {
    const rejection = rejectQuantity(line, event);
    if (rejection !== null) return rejection;
  }
  if (event.occurredAt > latestOf(window, now)) {
    return { reason: "too_far_ahead", detail: distance(event, now, "ahead of", window.maxAheadMs) };
  }
  if (event.occurredAt < earliestOf(window, now)) {
    return { reason: "too_long_ago", detail: distance(event, now, "behind", window.maxBehindMs) };
  }
  return null;
}

/** The last instant at which an event may have occurred. */
export function latestOf({ maxAheadMs }: EventWindow, now: Instant): Instant {
  return now + maxAheadMs;
}

/** The first instant at which an event may have occurred. */
export function earliestOf({ maxBehindMs }: EventWindow, now: Instant): Instant {
  return now - maxBehindMs;
}

/** Why a text of an event cannot be used, whatever the rest of the event is; null: it can. */
export const TEXT_PROBLEM = {
  eventId: (text: string) => idProblem("event_id", text),
  accountId: (text: string) => idProblem("account_id", text),
  meter: (text: string) => idProblem("meter", text),
  source: sourceProblem,
  dimensions: dimensionsProblem,
  holdId: (text: string) => idProblem("hold_id", text),
} as const;

/**
 * True when two events have the same content. Under one identity, other content is a conflict. What a dimension of an
 * erased account was cannot be told any more, and is no difference.
 */
export function isSameEvent(a: UsageEvent, b: UsageEvent): boolean {
  return (
    a.meter === b.meter &&
    a.quantity === b.quantity &&
    a.occurredAt === b.occurredAt &&
    a.source === b.source &&
    a.holdId === b.holdId &&
    isSameRecord(a.dimensions, b.dimensions, isSameValue) &&
    isSameRecord(a.quantities, b.quantities)
  );
}

function rejectQuantity({ meter, quantity }: EventLine, event: UsageEvent): Rejection | null {
  const of = meter === event.meter ? "" : ` of ${meter}`;
  if (quantity < 0n) return { reason: "negative_quantity", detail: `quantity${of} is ${quantity}` };
  if (quantity <= MAX_BIGINT) return null;
  return { reason: "overflow", detail: `quantity ${quantity}${of} does not fit into 64 bits` };
}

/** Why the further meters of an event cannot be used; null: they can. */
export function quantitiesProblem({ meter, quantities }: UsedMeters): string | null {
  let count = 0;
  for (const further of Object.keys(quantities)) {
    if (++count > MAX_QUANTITIES) return `more than ${MAX_QUANTITIES} further quantities`;
    const problem = idProblem("a meter of quantities", further);
    if (problem !== null) return problem;
    if (further === meter) return `meter ${meter} is named twice, also in quantities`;
  }
  return null;
}

function sourceProblem(source: string): string | null {
  if (source.length > MAX_SOURCE_LENGTH) {
    return `source has ${source.length} characters; at most ${MAX_SOURCE_LENGTH} are allowed`;
  }
  return isStorable(source) ? null : "source holds a NUL character or half of a surrogate pair";
}

function dimensionsProblem(dimensions: Readonly<Record<string, string>>): string | null {
  let count = 0;
  for (const key in dimensions) {
    const value = dimensions[key] ?? "";
    if (++count > MAX_DIMENSIONS) return `more than ${MAX_DIMENSIONS} dimensions`;
    if (key.length > MAX_DIMENSION_LENGTH || value.length > MAX_DIMENSION_LENGTH) {
      return `a dimension has more than ${MAX_DIMENSION_LENGTH} characters`;
    }
    if (!isStorable(key) || !isStorable(value)) {
      return "a dimension holds a NUL character or half of a surrogate pair";
    }
  }
  return null;
}

function isSameRecord<T extends string | bigint>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  isSame: (one: T, other: T) => boolean = (one, other) => one === other,
): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const one = a[key];
    // `constructor` may be a key, which every object inherits something under.
    const other = Object.hasOwn(b, key) ? b[key] : undefined;
    return one !== undefined && other !== undefined && isSame(one, other);
  });
}

function isSameValue(one: string, other: string): boolean {
  return one === other || isErased(one) || isErased(other);
}

function distance(event: UsageEvent, now: Instant, where: string, limitMs: number): string {
  const seconds = Math.round(Math.abs(event.occurredAt - now) / 1000);
  return `occurred_at is ${seconds} s ${where} the clock; at most ${limitMs / 1000} s are allowed`;
}

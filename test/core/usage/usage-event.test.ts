/**
 * - an event in the window, edges included, with whole text and a quantity from 0 on, is fit
 * - what is unfit is reported with its first reason: text, then quantity, then time
 * - a repeat has the same value in every field; the order of dimensions does not matter
 */
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import {
  isSameEvent,
  MAX_DIMENSION_LENGTH,
  MAX_DIMENSIONS,
  MAX_SOURCE_LENGTH,
  rejectEvent,
  type UsageEvent,
} from "../../../shared/core/usage/usage-event.ts";
import { DAY, eventWith, MINUTE, NOON, WINDOW } from "../../support/core/examples.ts";

const HALF_OF_A_PAIR = "\u{1F600}".slice(0, 1);

describe("an event is fit for metering", () => {
  test.each<{ what: string; given: Partial<UsageEvent> }>([
    { what: "now", given: {} },
    { what: "5 minutes ahead", given: { occurredAt: NOON + 5 * MINUTE } },
    { what: "35 days back", given: { occurredAt: NOON - 35 * DAY } },
    { what: "with a quantity of 0", given: { quantity: 0n } },
    { what: "with the largest quantity", given: { quantity: MAX_BIGINT } },
    { what: "with the longest source", given: { source: "s".repeat(MAX_SOURCE_LENGTH) } },
    { what: "with the most dimensions", given: { dimensions: manyDimensions(MAX_DIMENSIONS) } },
    { what: "with an empty dimension", given: { dimensions: { "": "" } } },
    {
      what: "with the longest dimension",
      given: {
        dimensions: { ["k".repeat(MAX_DIMENSION_LENGTH)]: "v".repeat(MAX_DIMENSION_LENGTH) },
      },
    },
    { what: "with a source that was not UTF-8", given: { source: "\uFFFD" } },
  ])("$what", ({ given }) => {
    expect(rejectEvent(eventWith(given), NOON, WINDOW)).toBe(null);
  });
});

describe("an event is dead-lettered", () => {
  test.each<{ what: string; given: Partial<UsageEvent>; reason: string; detail: string }>([
    {
      what: "a millisecond more than 5 minutes ahead",
      given: { occurredAt: NOON + 5 * MINUTE + 1 },
      reason: "too_far_ahead",
      detail: "occurred_at is 300 s ahead of the clock; at most 300 s are allowed",
    },
    {
      what: "a millisecond more than 35 days back",
      given: { occurredAt: NOON - 35 * DAY - 1 },
      reason: "too_long_ago",
      detail: "occurred_at is 3024000 s behind the clock; at most 3024000 s are allowed",
    },
    {
      what: "with a quantity below zero",
      given: { quantity: -1n },
      reason: "negative_quantity",
      detail: "quantity is -1",
    },
    {
      what: "with a quantity beyond 64 bits",
      given: { quantity: MAX_BIGINT + 1n },
      reason: "overflow",
      detail: "quantity 9223372036854775808 does not fit into 64 bits",
    },
    { what: "without an id", given: { eventId: "" }, reason: "malformed", detail: "event_id is" },
    {
      what: "with an account's id that is too long",
      given: { accountId: "a".repeat(257) },
      reason: "malformed",
      detail: "account_id has 257 characters",
    },
    {
      what: "with a meter that was not UTF-8",
      given: { meter: "\uFFFD" },
      reason: "malformed",
      detail: "meter holds",
    },
    {
      what: "with NUL in its source",
      given: { source: "a\0" },
      reason: "malformed",
      detail: "source holds",
    },
    {
      what: "with a source that is too long",
      given: { source: "s".repeat(MAX_SOURCE_LENGTH + 1) },
      reason: "malformed",
      detail: "source has 1025 characters",
    },
    {
      what: "with too many dimensions",
      given: { dimensions: manyDimensions(MAX_DIMENSIONS + 1) },
      reason: "malformed",
      detail: "more than 64 dimensions",
    },
    {
      what: "with a dimension's name that is too long",
      given: { dimensions: { ["k".repeat(MAX_DIMENSION_LENGTH + 1)]: "v" } },
      reason: "malformed",
      detail: "more than 1024 characters",
    },
    {
      what: "with a dimension's value that is too long",
      given: { dimensions: { k: "v".repeat(MAX_DIMENSION_LENGTH + 1) } },
      reason: "malformed",
      detail: "more than 1024 characters",
    },
    {
      what: "with NUL in a dimension's name",
      given: { dimensions: { "\0": "v" } },
      reason: "malformed",
      detail: "a dimension holds",
    },
    {
      what: "with half of a pair in a dimension",
      given: { dimensions: { k: HALF_OF_A_PAIR } },
      reason: "malformed",
      detail: "a dimension holds",
    },
  ])("$what", ({ given, reason, detail }) => {
    const rejection = rejectEvent(eventWith(given), NOON, WINDOW);
    expect(rejection?.reason).toBe(reason);
    expect(rejection?.detail).toContain(detail);
  });

  test("for its text before its quantity, and for its quantity before its time", () => {
    const late = { occurredAt: NOON - 36 * DAY };
    const negative = { ...late, quantity: -1n };
    const malformed = { ...negative, meter: "" };
    const reasons = [late, negative, malformed].map(
      (given) => rejectEvent(eventWith(given), NOON, WINDOW)?.reason,
    );
    expect(reasons).toEqual(["too_long_ago", "negative_quantity", "malformed"]);
  });

  test("by the configured window", () => {
    const strict = { maxAheadMs: 0, maxBehindMs: 0 };
    expect(rejectEvent(eventWith(), NOON, strict)).toBe(null);
    expect(rejectEvent(eventWith(), NOON - 1, strict)?.reason).toBe("too_far_ahead");
    expect(rejectEvent(eventWith(), NOON + 1, strict)?.reason).toBe("too_long_ago");
  });
});

describe("an event is a repeat", () => {
  test.each<{ what: string; again: Partial<UsageEvent>; same: boolean }>([
    { what: "with equal content", again: {}, same: true },
    {
      what: "with dimensions in another order",
      again: { dimensions: { b: "2", a: "1" } },
      same: true,
    },
    { what: "but not with another meter", again: { meter: "tokens" }, same: false },
    { what: "but not with another quantity", again: { quantity: 2n }, same: false },
    { what: "but not at another instant", again: { occurredAt: NOON + 1 }, same: false },
    { what: "but not from another source", again: { source: "eu" }, same: false },
    {
      what: "but not with a dimension more",
      again: { dimensions: { a: "1", b: "2", c: "" } },
      same: false,
    },
    { what: "but not with a dimension less", again: { dimensions: { a: "1" } }, same: false },
    { what: "but not with another value", again: { dimensions: { a: "1", b: "1" } }, same: false },
    { what: "but not with another name", again: { dimensions: { a: "1", c: "2" } }, same: false },
    {
      what: "but not with an inherited name",
      again: { dimensions: { a: "1", toString: "2" } },
      same: false,
    },
    {
      what: "but not with an inherited name whose value is erased",
      again: { dimensions: { a: "1", toString: "erased" } },
      same: false,
    },
  ])("$what", ({ again, same }) => {
    const event = eventWith({ dimensions: { a: "1", b: "2" } });
    expect(isSameEvent(event, { ...event, ...again })).toBe(same);
    expect(isSameEvent({ ...event, ...again }, event)).toBe(same);
  });
});

function manyDimensions(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
}

import { describe, expect, test } from "vitest";
import {
  housekeepingRules,
  IDEMPOTENT_MS,
  keptSince,
  parseRetention,
  retentionText,
} from "../../../shared/core/history/retention.ts";

const MINUTE = 60_000;
const now = Date.parse("2026-03-31T12:00:00Z");
const USUAL = {
  deadLetters: { count: 13, unit: "month" },
  reconciliations: { count: 90, unit: "day" },
  repeats: { count: 36, unit: "day" },
  usage: { count: 13, unit: "month" },
  webhooks: { count: 30, unit: "day" },
} as const;

describe("rows are due to be deleted whose use ended before", () => {
  const dueAt = (settings: Parameters<typeof housekeepingRules>[0], completeUntil: number | null) =>
    Object.fromEntries(
      housekeepingRules(settings).map((rule) => {
        const since = keptSince(rule, { now, completeUntil });
        return [rule.table, since === null ? "never" : new Date(since).toISOString()];
      }),
    );

  test("an instant for each table, by the calendar", () => {
    expect(dueAt(USUAL, now)).toEqual({
      api_request: "2026-03-29T12:00:00.000Z",
      dashboard_token: "2026-03-30T12:00:00.000Z",
      reconciliation: "2025-12-31T12:00:00.000Z",
      dead_letter: "2025-02-28T12:00:00.000Z",
      hold: "2026-02-19T12:00:00.000Z",
      alert: "2025-02-28T12:00:00.000Z",
      budget_spend: "2026-02-19T12:00:00.000Z",
      usage_identity: "2026-02-23T12:00:00.000Z",
      usage_page: "2025-02-28T12:00:00.000Z",
      webhook_delivery: "2026-03-01T12:00:00.000Z",
    });
  });

  test("the instant up to which usage is metered, of dead letters and usage: a retry or a repeat may wait to be read", () => {
    const stalled = now - 10 * 24 * 60 * MINUTE;
    expect(dueAt(USUAL, stalled)).toEqual({
      ...dueAt(USUAL, now),
      dead_letter: "2025-02-21T12:00:00.000Z",
      usage_page: "2025-02-21T12:00:00.000Z",
    });
    expect(dueAt(USUAL, null)).toEqual({
      ...dueAt(USUAL, now),
      dead_letter: "never",
      usage_page: "never",
    });
    expect(dueAt(USUAL, now + MINUTE)).toEqual(dueAt(USUAL, now));
  });

  test("no instant, where they are kept for ever", () => {
    const kept = { deadLetters: null, reconciliations: null, repeats: null, usage: null };
    const forever = { ...kept, webhooks: null };
    expect(dueAt(forever, now)).toMatchObject({
      reconciliation: "never",
      dead_letter: "never",
      usage_page: "never",
    });
  });
});

test("an Idempotency-Key is kept for longer than it is honoured, by clocks that differ by hours", () => {
  const [requests] = housekeepingRules(USUAL);
  if (requests === undefined) throw new Error("there is no rule");
  const since = keptSince(requests, { now, completeUntil: null });
  expect(requests.table).toBe("api_request");
  expect(since).toBeLessThanOrEqual(now - IDEMPOTENT_MS - 12 * 60 * MINUTE);
});

test.each([
  ["forever", null, "forever"],
  ["90 days", { count: 90, unit: "day" }, "90 days"],
  ["1000 days", { count: 1000, unit: "day" }, "1000 days"],
  ["1 day", { count: 1, unit: "day" }, "1 day"],
  ["13 months", { count: 13, unit: "month" }, "13 months"],
] as const)("%j is read, and shown as %j", (text, retention, shown) => {
  expect(parseRetention(text)).toEqual(retention);
  expect(retentionText(retention)).toBe(shown);
});

test.each([
  "",
  "0 days",
  "-1 days",
  "90",
  "90d",
  "1.5 months",
  "99999 days",
  "for ever",
  "2 hours",
])("%j is no retention", (text) => expect(parseRetention(text)).toBeUndefined());

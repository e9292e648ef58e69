import { expect, test } from "vitest";
import { budgetAlert } from "../../../shared/core/alerts/budget-alerts.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";

const REACHED = {
  ...{ accountId: toAccountId("acme"), timeZone: "America/New_York", percent: 80 },
  window: "week" as const,
  ...{ startsAt: Date.parse("2026-03-23T04:00:00Z"), used: 8n, limit: 10n },
  ...{ cause: "event:e", occurredAt: 0 },
};

test.each([
  ["team", "search", "team=search"],
  ["a=b", "c", "a%3Db=c"],
  ["a", "b=c", "a=b=c"],
  ["a%3Db", "c", "a%253Db=c"],
])(
  "the subject of dimension %s and value %s is %s: of no two the same",
  (dimension, value, subject) => {
    expect(budgetAlert({ ...REACHED, dimension, value })).toMatchObject({ subject, level: 80 });
  },
);

test.each([
  ["day", "day:2026-03-23", "for the day of 2026-03-23"],
  ["week", "week:2026-03-23", "for the week of 2026-03-23"],
  ["all", "all", "for all time"],
] as const)("the %s is named %s, by the calendar of the account", (window, name, when) => {
  const alert = budgetAlert({ ...REACHED, window, dimension: "team", value: "search" });
  expect(alert.window).toBe(name);
  expect(alert.reason).toBe(`80 % of the budget of team search ${when} are used.`);
});

import { expect, test } from "vitest";
import { shortageText } from "../../../services/cli/credits/shortage-text.ts";

const AT = Date.UTC(2026, 11, 1);

test.each([
  ["no_credits", null, null, "auto top-up is off, or not needed yet"],
  ["top_up_under_way", null, null, "a top-up is under way"],
  ["top_up_paused", AT, null, "auto top-up is paused until 2026-12-01T00:00:00.000Z"],
  [
    "top_up_at_limit",
    AT,
    AT + 1,
    "auto top-up is at its limit until 2026-12-01T00:00:00.000Z; the month's credits come at 2026-12-01T00:00:00.001Z",
  ],
] as const)("%s, top-up at %s, month at %s", (why, topUpAt, nextCreditsAt, text) => {
  expect(shortageText({ why, topUpAt, nextCreditsAt })).toBe(text);
});

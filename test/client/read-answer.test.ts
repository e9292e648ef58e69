import { expect, test } from "vitest";
import { readAnswer, UnreadableAnswer } from "../../shared/client/read-answer.ts";
import { lot } from "../../shared/contract/lot.ts";
import { listOf } from "../../shared/contract/page.ts";

const GIFT = {
  lot_id: "gift",
  source: "promotion",
  reference: "welcome",
  credits: "7000000",
  start: "0",
  end: "7000000",
  used: "1",
  expired: "0",
  withdrawn: "0",
  remaining: "6999999",
  granted_at: "2026-09-01T00:00:00.000Z",
  expires_at: null,
};

test("names become camelCase, amounts bigint, instants Date", () => {
  const { items, nextCursor } = readAnswer(
    listOf(lot),
    { items: [{ ...GIFT, expires_at: "2026-11-01T01:00:00+01:00" }], next_cursor: null },
    "lots",
  );
  expect(nextCursor).toBe(null);
  expect(items).toEqual([
    {
      lotId: "gift",
      source: "promotion",
      reference: "welcome",
      credits: 7_000_000n,
      start: 0n,
      end: 7_000_000n,
      used: 1n,
      expired: 0n,
      withdrawn: 0n,
      remaining: 6_999_999n,
      grantedAt: new Date("2026-09-01T00:00:00Z"),
      expiresAt: new Date("2026-11-01T00:00:00Z"),
    },
  ]);
});

test("fields and values added by a newer server are accepted", () => {
  const read = readAnswer(lot, { ...GIFT, source: "gift_card", colour: "blue" }, "lot");
  expect(read).toMatchObject({ source: "gift_card", expiresAt: null });
  expect(read).not.toHaveProperty("colour");
});

test.each([
  ["a field is missing", { ...GIFT, used: undefined }, "lots.items[0].used"],
  ["an amount is a number", { ...GIFT, credits: 7 }, "lots.items[0].credits"],
  ["an instant is invalid", { ...GIFT, granted_at: "today" }, "lots.items[0].granted_at"],
  ["an item is invalid", "gift", "lots.items[0]"],
])("where %s, the error names it", (_, item, place) => {
  const answer = { items: [item], next_cursor: null };
  const read = () => readAnswer(listOf(lot), answer, "lots");
  expect(read).toThrow(UnreadableAnswer);
  expect(read).toThrow(`the API's answer cannot be read at ${place}: `);
});

import { expect, test } from "vitest";
import type { FireAccount } from "../load/accounts.ts";
import type { LoadedHold } from "../load/holds.ts";
import { checkBudgets, spentOn } from "./check-budgets.ts";
import { checkHolds } from "./check-holds.ts";

const ACME = { id: "acme", kind: "steady" } as FireAccount;
const DAY = 86_400_000n;
const event = (event_id: string, meter: string, occurred_at: bigint, model?: string) => ({
  ...{ event_id, account_id: "acme", meter, quantity: 2n, occurred_at, source: "" },
  dimensions: model === undefined ? {} : { model },
});
const EVENTS = [
  event("1", "fire.calls", DAY, "small"),
  event("2", "fire.tokens", 2n * DAY, "small"),
  event("3", "fire.calls", 0n, "small"),
  event("4", "fire.calls", DAY),
];
const counts = { account_id: "acme", dimension: "model" };
const BOOKS = {
  usage: EVENTS.map((usage) => ({ ...usage, place: "", start_position: 0n, credits: 5n })),
  counted: [
    { ...counts, window: "day", since: DAY },
    { ...counts, window: "all", since: 0n },
  ],
};
const events = new Map(
  EVENTS.map((usage) => [
    JSON.stringify(["acme", "", usage.event_id]),
    [{ place: "", partition: 0, usage }],
  ]),
);
const spend = (window: string, starts_on: string, spent: bigint) => ({
  ...{ account_id: "acme", dimension: "model", value: "small", window, starts_on, spent },
});
const SPENDS = [
  spend("day", "1970-01-02", 100_000n),
  spend("day", "1970-01-03", 5n),
  spend("all", "1970-01-01", 200_005n),
];

test("budgets have counted each event once, in its window; anything else is found", () => {
  const spent = spentOn(BOOKS, { events }, [ACME]);
  const findingsOf = (spends: typeof SPENDS) => checkBudgets({ spends }, spent).findings;
  expect(findingsOf(SPENDS)).toEqual([]);
  expect(findingsOf(SPENDS.slice(1))).toHaveLength(1);
  expect(findingsOf([...SPENDS, spend("day", "1970-01-01", 1n)])).toHaveLength(1);
  expect(findingsOf([spend("day", "1970-01-02", 100_001n), ...SPENDS.slice(1)])).toHaveLength(1);
});

test("holds are given, used and ended once; anything else is found", () => {
  const given = (holdId: string, used: bigint, end: LoadedHold["end"]): LoadedHold => {
    return { accountId: "acme", holdId, credits: 9n, used, end };
  };
  const GIVEN = [given("a", 9n, "captured"), given("b", 0n, "expired")];
  const booked = (hold_id: string, status: string, used: bigint, captured: bigint | null) => ({
    ...{ account_id: "acme", hold_id, status, used, captured, credits: 9n, ended_at: new Date(0) },
  });
  const holds = [booked("a", "captured", 9n, 9n), booked("b", "expired", 0n, null)];
  const acme = { account_id: "acme", held: 0n, hold_changes: 5n };
  const findingsOf = (wrong: Partial<Parameters<typeof checkHolds>[0]>, told = 5n) =>
    checkHolds({ holds, held: [acme], ...wrong }, GIVEN, new Map([["acme", told]])).findings;
  expect(findingsOf({})).toEqual([]);
  expect(findingsOf({}, 4n)).toHaveLength(1);
  expect(findingsOf({ held: [{ ...acme, held: 1n }] })).toHaveLength(1);
  expect(findingsOf({ holds: holds.slice(1) })).toHaveLength(1);
  expect(findingsOf({ holds: [...holds, booked("c", "released", 0n, null)] })).toHaveLength(1);
  const open = { ...booked("a", "captured", 8n, 9n), ended_at: null };
  // Neither what was used nor what is held.
  expect(findingsOf({ holds: [open, ...holds.slice(1)] })).toHaveLength(3);
});

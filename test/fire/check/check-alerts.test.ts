import { expect, test } from "vitest";
import { ALERT_LEVELS, type FireAccount } from "../load/accounts.ts";
import type { Books } from "./books.ts";
import { checkAlerts } from "./check-alerts.ts";

/** An account that has used 9 of its first month's 100, and all of its second month's. */
const ACME = { id: "acme", kind: "planned" } as FireAccount;
const month = (period: number, position: bigint) => ({
  ...{ account_id: "acme", sequence: BigInt(period + 1), kind: "grant", credits: 100n, position },
  ...{ lot_id: `plan:1:${period}`, reference: "", due_at: 0n },
});
const lot = (period: number, start_position: bigint) => ({
  ...{ account_id: "acme", lot_id: `plan:1:${period}`, start_position },
  ...{ end_position: start_position + 100n, granted_at: 0n, expires_at: null },
});
const alert = (level: number, window: string, kind = "month_credits", subject = "") => ({
  ...{ account_id: "acme", kind, subject, window, level },
});
/** 1 % of a day's budget. */
const SPENT = new Map([
  ["acme model=small day:2027-01-15", 39_999_999n],
  ["acme model=large day:2027-01-15", 0n],
  ["others model=small day:2027-01-15", 2_000_000_000n],
]);
const ALERTS = [
  ...ALERT_LEVELS.slice(0, 5).map((level) => alert(level, "plan:1:0")),
  ...ALERT_LEVELS.map((level) => alert(level, "plan:1:1")),
  alert(0, "low-balance:1", "top_up_declined"),
  alert(1, "day:2027-01-15", "budget", "model=small"),
];
const payment = { account_id: "acme", payment_id: "low-balance:1", kind: "top_up", amount: 1n };
const BOOKS = {
  ...{ usage: [], deadLetters: [], unpublished: 0, entries: [month(0, 0n), month(1, 9n)] },
  lots: [lot(0, 0n), lot(1, 100n)],
  accounts: [
    {
      ...{ account_id: "acme", granted: 200n, version: 9n },
      ...{ position: 210n, crossings: 1n, threshold: 0n },
    },
  ],
  payments: [{ ...payment, status: "failed" }],
  ...{ holds: [], held: [], spends: [], counted: [] },
} satisfies Omit<Books, "alerts">;

const findingsOf = (alerts: Books["alerts"], last = BigInt(alerts.length)) =>
  checkAlerts({ ...BOOKS, alerts }, [ACME], SPENT, new Map([["acme", last]])).findings;

test("alerts that were each raised once are right", () => {
  expect(findingsOf(ALERTS)).toEqual([]);
});

test("one that is missing, twice, of nothing, or not on the topic is found", () => {
  expect(findingsOf(ALERTS.slice(1))).toHaveLength(1);
  expect(findingsOf([...ALERTS, alert(50, "plan:1:1")])).toHaveLength(1);
  expect(findingsOf([...ALERTS, alert(15, "plan:1:0")])).toHaveLength(1);
  expect(findingsOf(ALERTS.slice(0, -1))).toHaveLength(1);
  expect(findingsOf([...ALERTS, alert(2, "day:2027-01-15", "budget", "model=small")])).toHaveLength(
    1,
  );
  expect(findingsOf(ALERTS.filter(({ kind }) => kind !== "top_up_declined"))).toHaveLength(1);
  expect(findingsOf(ALERTS, 15n)).toHaveLength(1);
});

import { expect, test } from "vitest";
import type { FireAccount } from "../load/accounts.ts";
import type { BookedEntry, Books, MeteredUsage } from "./books.ts";
import { checkAccounts } from "./check-accounts.ts";
import { checkMonths } from "./check-months.ts";
import type { ExpectedUsage } from "./expected-usage.ts";
import { modelsOf } from "./model.ts";

/**
 * Subscribed on 20 September, with an add-on: the first lot has ended in November, October's as December
 * began. 50 credits were used before that turn and 20 after it.
 */
const ACME: FireAccount = {
  ...{ id: "acme", kind: "planned", grants: [], card: "card_approve" },
  plan: { interval: "month", addOns: 1 },
};
const SUBSCRIBED = "2027-09-20T10:00:00.123Z";
const CALENDAR = {
  opened: [at("2027-09-20T09:59:00Z"), at("2027-09-20T10:01:00Z")],
  endedAt: at("2027-12-01T00:10:00Z"),
} as const;
const BEGINS = [SUBSCRIBED, ...["2027-10-01", "2027-11-01", "2027-12-01"].map(midnight)];
const ENDS = [
  "2027-11-20T10:00:00.123Z",
  ...["2027-12-01", "2028-01-01", "2028-02-01"].map(midnight),
];
const CREDIT = 1_000_000n;
const DAY = 86_400_000n;

const before = usage("e1", "2027-11-30T23:59:00Z", 1_000n, 10_000n);
const after = usage("e2", "2027-12-01T00:01:00Z", 400n, 20_000n);
const payments = [0, 1, 2, 3].map((period) => ({
  ...{ account_id: "acme", payment_id: `fee:1:${period}`, amount: "1900", status: "succeeded" },
  created_at: SUBSCRIBED,
}));
const right: Books = {
  ...{ deadLetters: [], payments: [], alerts: [], unpublished: 0, usage: [before, after] },
  ...{ holds: [], held: [], spends: [], counted: [] },
  accounts: [account(20_120n)],
  lots: BEGINS.map((from, period) => ({
    ...{ account_id: "acme", lot_id: `plan:1:${period}`, granted_at: BigInt(at(from)) },
    ...{ start_position: line(period * 10_000), end_position: line((period + 1) * 10_000) },
    expires_at: BigInt(at(ENDS[period] ?? "")),
  })),
  entries: [
    ...BEGINS.flatMap((from, period) => [
      entry("grant", from, { lot_id: `plan:1:${period}`, credits: 10_000n * CREDIT }),
      entry("add_on_charge", from, { credits: -100n * CREDIT }),
    ]),
    expiry(0, 9_700n),
    expiry(1, 9_950n),
  ],
};

test("right books have no findings", () => {
  expect(findings(right)).toBe("");
});

/** Usage of after the turn as metered before it. */
function early(occurred: string): Books {
  return {
    ...right,
    usage: [before, usage("e2", occurred, 400n, 10_050n)],
    accounts: [account(20_100n)],
    entries: [...right.entries.slice(0, -1), expiry(1, 9_930n)],
  };
}

test("usage that was metered before its time came is paid by what ends then", () => {
  expect(findings(early("2027-12-01T00:01:00Z"))).toBe("");
});

test("it is found that what has ended still pays long after", () => {
  expect(findings(early("2027-12-01T00:05:00Z"))).toMatch(/acme has 19900000000 micro/);
});

test("late usage gets back what has expired", () => {
  const late = usage("e3", "2027-11-19T00:00:00Z", 200n, 20_120n);
  const givenBack = { ...expiry(0, -10n), kind: "reversal" };
  const books = { ...right, usage: [...right.usage, late] };
  expect(findings({ ...books, entries: [...right.entries, givenBack] })).toBe("");
  expect(findings(books)).toMatch(/ends of credits plan:1:0 9700000000/);
});

test.each<[fault: string, books: Partial<Books>, finding: RegExp]>([
  [
    "a month's credits live for a day more",
    {
      lots: right.lots.map((lot) => ({
        ...lot,
        expires_at: lot.expires_at && lot.expires_at + DAY,
      })),
    },
    /the months plan:1:0 from 2027-09-20 to 2027-11-21/,
  ],
  [
    "a month's credits come twice",
    { entries: twice("grant") },
    /credits of months plan:1:0 .*, plan:1:0/,
  ],
  ["an add-on is charged twice", { entries: twice("add_on_charge") }, /the charges of add-ons/],
  ["credits end twice", { entries: twice("expiry") }, /the ends of credits plan:1:0/],
  [
    "no credits end",
    { entries: right.entries.filter(({ kind }) => kind !== "expiry") },
    /ends of credits none/,
  ],
  ["what has ended is still there", { accounts: [account(10_170n)] }, /acme has 29830000000 micro/],
  ["a lot is missing", { lots: right.lots.slice(0, 3) }, /has lots/],
])("it is found that %s", (_, books, finding) => {
  expect(findings({ ...right, ...books })).toMatch(finding);
});

test("it is found that a month is paid twice", () => {
  expect(findings(right, [...payments, ...payments.slice(3)])).toMatch(
    /the fees .*fee:1:3 1900, fee:1:3 1900/,
  );
});

function findings(books: Books, charged = payments): string {
  const events = books.usage.map((one) => {
    const message = { place: one.place, partition: 0, usage: one };
    return [JSON.stringify(["acme", "fire", one.event_id]), [message]] as const;
  });
  const expected: ExpectedUsage = {
    ...{ events: new Map(events), deadLetters: new Map(), contents: new Set() },
  };
  const world = { accounts: [ACME], payments: charged, calendar: CALENDAR };
  const models = modelsOf({ books, expected, ...world });
  return [checkAccounts(books, models), checkMonths(books, models, charged)]
    .flatMap((checked) => checked.findings)
    .join("\n");
}

function usage(event_id: string, occurred: string, quantity: bigint, start: bigint): MeteredUsage {
  return {
    ...{ event_id, account_id: "acme", meter: "fire.calls", quantity, source: "fire" },
    ...{ occurred_at: BigInt(at(occurred)), dimensions: {}, place: `0:${event_id}` },
    ...{ start_position: start * CREDIT, credits: (quantity * CREDIT) / 20n },
  };
}

function entry(kind: string, due: string, more: Partial<BookedEntry>): BookedEntry {
  return {
    ...{ account_id: "acme", sequence: 1n, kind, credits: 0n, position: 0n, lot_id: null },
    ...{ reference: "", due_at: BigInt(at(due)), ...more },
  };
}

function expiry(period: number, credits: bigint): BookedEntry {
  return entry("expiry", ENDS[period] ?? "", {
    ...{ lot_id: `plan:1:${period}`, credits: -credits * CREDIT },
    position: line((period + 1) * 10_000),
  });
}

function account(position: bigint): Books["accounts"][number] {
  const line = { granted: 40_000n * CREDIT, position: position * CREDIT };
  return { account_id: "acme", ...line, version: 9n, crossings: 0n, threshold: 0n };
}

function twice(kind: string): Books["entries"] {
  return [...right.entries, ...right.entries.filter((one) => one.kind === kind)];
}

function line(credits: number): bigint {
  return BigInt(credits) * CREDIT;
}

function midnight(day: string): string {
  return `${day}T00:00:00Z`;
}

function at(date: string): number {
  return Date.parse(date);
}

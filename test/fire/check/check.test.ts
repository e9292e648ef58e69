import { describe, expect, test } from "vitest";
import type { FireAccount } from "../load/accounts.ts";
import { codecOf, framed } from "../load/avro.ts";
import type { Planned, Usage } from "../load/event.ts";
import type { Books } from "./books.ts";
import { checkAccounts } from "./check-accounts.ts";
import { checkCharges, checkNobodyIsLow } from "./check-charges.ts";
import { checkBalances, checkOrder } from "./check-published.ts";
import { checkDeadLetters, checkJournal, checkMetered } from "./check-usage.ts";
import { contentOf, expectUsage } from "./expected-usage.ts";
import type { Checked } from "./findings.ts";
import { modelsOf } from "./model.ts";
import type { TopicRecord } from "./read-topic.ts";

/** The checker of the fire: green for right books, red for each planted fault. */
const NOW = 1_800_000_000_000n;
const SCHEMA = 7;
const CALENDAR = { opened: [Number(NOW) - 1_000, Number(NOW)], endedAt: Number(NOW) } as const;
const ACME: FireAccount = {
  ...{ id: "acme", kind: "low", grants: [1, 2], card: "card_approve", plan: null },
};
const usageCodec = await codecOf("usage-event");
const balanceCodec = await codecOf("balance-changed");

const first = event("e1", 30n);
const second = event("e2", 10n);
const conflict = { ...first, quantity: 31n };
const garbage = Buffer.from("no event");
const records: TopicRecord[] = [first, second, first, conflict]
  .map((usage) => framed(SCHEMA, usageCodec.toBuffer(usage)))
  .concat(garbage)
  .map((value, offset) => record(value, BigInt(offset)));
const journal: Planned[] = [
  { kind: "fresh", usage: first },
  { kind: "fresh", usage: second },
  { kind: "repeat", usage: first },
  { kind: "conflict", usage: conflict },
  { kind: "garbage", key: "acme", bytes: garbage },
];
const charged = [
  {
    account_id: "acme",
    payment_id: "low-balance:1",
    amount: "1000",
    status: "succeeded",
    created_at: "2027-01-15T08:00:00Z",
  },
];
/** 3 credits granted and 100 bought, 2 used: the second grant and the top-up are left. */
const right: Books = {
  usage: [
    { ...first, place: "0:0", start_position: 0n, credits: 1_500_000n },
    { ...second, place: "0:1", start_position: 1_500_000n, credits: 500_000n },
  ],
  deadLetters: [
    { place: "0:3", reason: "conflict", payload: records[3]?.value ?? garbage },
    { place: "0:4", reason: "unreadable", payload: garbage },
  ],
  accounts: [
    {
      ...{ account_id: "acme", granted: 103_000_000n, position: 2_000_000n, version: 5n },
      ...{ crossings: 1n, threshold: 0n },
    },
  ],
  lots: [
    lot("granted-0", 0n, 1_000_000n),
    lot("granted-1", 1_000_000n, 3_000_000n),
    lot("top-up:low-balance:1", 3_000_000n, 103_000_000n),
  ],
  entries: [],
  payments: [
    {
      ...{ account_id: "acme", payment_id: "low-balance:1", kind: "top_up" },
      ...{ status: "succeeded", amount: 1000n },
    },
  ],
  ...{ alerts: [], holds: [], held: [], spends: [], counted: [] },
  unpublished: 0,
};

const judgedBy = {
  ...{ codec: usageCodec, schemaId: SCHEMA, accounts: new Set(["acme"]), now: NOW },
  metered: (): string | undefined => undefined,
};

test("right books have no findings", () => {
  expect(findings(right)).toEqual([]);
});

test("an event on another partition than its conflict, which was metered first, is on the topic", () => {
  const other = { ...record(framed(SCHEMA, usageCodec.toBuffer(conflict)), 0n), partition: 1 };
  const given = [...records.slice(0, 1), other];
  const metered = () => contentOf(conflict);
  const expected = expectUsage(given, { ...judgedBy, metered });
  const sent = journal.filter((planned) => "usage" in planned && planned.usage.event_id === "e1");
  expect(checkJournal(sent, given, expected).findings).toEqual([]);
});

describe("a fault that was planted is found", () => {
  test.each<[fault: string, books: Partial<Books>, finding: RegExp]>([
    ["an event is lost", { usage: right.usage.slice(1) }, /e1.* is metered 0 times/],
    ["an event is metered twice", { usage: [...right.usage, ...right.usage] }, /metered 2 times/],
    ["an event has another quantity", { usage: changed({ quantity: 29n }) }, /is metered as/],
    ["an event comes from another place", { usage: changed({ place: "1:0" }) }, /from 1:0/],
    ["a conflict is lost", { deadLetters: right.deadLetters.slice(1) }, /0:3 .* no dead letter/],
    [
      "a dead letter has another reason",
      { deadLetters: letters({ reason: "malformed" }) },
      /for malformed/,
    ],
    [
      "a dead letter has other bytes",
      { deadLetters: letters({ payload: Buffer.from("x") }) },
      /other bytes/,
    ],
    [
      "a repeat is a dead letter",
      { deadLetters: [...right.deadLetters, ...letters({ place: "0:2" })] },
      /0:2 .* well/,
    ],
    [
      "a balance is one micro-credit off",
      { accounts: account({ position: 2_000_001n }) },
      /acme has 100999999/,
    ],
    [
      "a lot is longer than it was granted",
      { lots: [...right.lots.slice(0, 2), lot("top-up:low-balance:1", 3_000_000n, 103_000_001n)] },
      /has lots/,
    ],
    ["lots stand in another order", { lots: right.lots.toReversed() }, /has lots/],
    ["a payment is still pending", { payments: payments({ status: "pending" }) }, /still pending/],
    ["a payment has another amount", { payments: payments({ amount: 900n }) }, /of 900 cents/],
    [
      "a card was not charged",
      { accounts: account({ position: 103_000_000n }) },
      /acme has 0 micro/,
    ],
  ])("%s", (_, books, finding) => {
    expect(findings({ ...right, ...books }).join("\n")).toMatch(finding);
  });

  test("an event is not on the topic", () => {
    const { findings } = checkJournal(
      journal,
      records.slice(1, 2),
      expectedFrom(records.slice(1, 2)),
    );
    expect(findings.join("\n")).toMatch(/e1.* is not on the topic/);
  });

  test("an event is on the topic that nobody published", () => {
    const { findings } = checkJournal(journal.slice(1, 2), records, expectedFrom(records));
    expect(findings.join("\n")).toMatch(/e1.* was never published/);
  });

  test("a crossing is charged twice, the second time under another attempt", () => {
    const again = { ...charged[0], payment_id: "low-balance:1:2" } as (typeof charged)[number];
    expect(checkCharges(right, [...charged, again]).findings.join("\n")).toMatch(
      /crossing 1 is charged 2 times/,
    );
  });

  test("a record is missing or out of order, while repeats are none", () => {
    const order = (...sequences: number[]) =>
      checkOrder(
        "t",
        sequences.map((at) => sequenced(at)),
        false,
      ).checked.findings;
    expect(order(1, 2, 1, 2, 3)).toEqual([]);
    expect(order(1, 3)).toHaveLength(1);
    expect(order(2, 1, 2)).toHaveLength(1);
  });

  test("the topic of balances ends with an older state", () => {
    const states = [4n, 5n].map((version) => balance(version));
    expect(checkBalances(right, states, balanceCodec).findings).toEqual([]);
    const { findings } = checkBalances(right, states.toReversed(), balanceCodec);
    expect(findings.join("\n")).toMatch(/ends with version 4/);
  });
});

function findings(books: Books): string[] {
  const world = { accounts: [ACME], payments: charged, calendar: CALENDAR };
  const expected = expectedFrom(records);
  const published = new Set(["0:3", "0:4"]);
  const checked: Checked[] = [
    checkJournal(journal, records, expected),
    checkMetered(books, expected),
    checkDeadLetters(books, expected.deadLetters, published, records),
    checkAccounts(books, modelsOf({ books, expected, ...world })),
    checkCharges(books, charged),
    checkNobodyIsLow(books, [ACME]),
  ];
  return checked.flatMap((one) => one.findings);
}

function expectedFrom(given: readonly TopicRecord[]) {
  return expectUsage(given, judgedBy);
}

function event(event_id: string, quantity: bigint): Usage {
  return {
    ...{ event_id, account_id: "acme", meter: "fire.calls", quantity },
    ...{ occurred_at: NOW, source: "fire", dimensions: {} },
  };
}

function record(value: Buffer, offset: bigint): TopicRecord {
  return { partition: 0, offset, key: "acme", value, headers: {} };
}

function sequenced(sequence: number): TopicRecord {
  return { ...record(garbage, BigInt(sequence)), headers: { sequence: String(sequence) } };
}

function balance(version: bigint): TopicRecord {
  const line = { granted: 103_000_000n, position: 2_000_000n, balance: 101_000_000n };
  const state = { account_id: "acme", version, ...line, changed_at: NOW };
  return record(framed(SCHEMA, balanceCodec.toBuffer(state)), version);
}

function lot(lot_id: string, start_position: bigint, end_position: bigint): Books["lots"][number] {
  const place = { account_id: "acme", lot_id, start_position, end_position };
  return { ...place, granted_at: NOW, expires_at: null };
}

function changed(to: Partial<Books["usage"][number]>): Books["usage"] {
  return right.usage.map((usage, index) => (index === 0 ? { ...usage, ...to } : usage));
}

function letters(to: Partial<Books["deadLetters"][number]>): Books["deadLetters"] {
  return right.deadLetters.map((letter, index) => (index === 0 ? { ...letter, ...to } : letter));
}

function account(to: Partial<Books["accounts"][number]>): Books["accounts"] {
  return right.accounts.map((one) => ({ ...one, ...to }));
}

function payments(to: Partial<Books["payments"][number]>): Books["payments"] {
  return right.payments.map((one) => ({ ...one, ...to }));
}

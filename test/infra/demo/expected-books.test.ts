/**
 * - what is left of a micro-credit is carried to the next event of the account and meter
 * - lots are emptied oldest first; beyond them is debt
 * - an account runs low once, at the event that brings it down to its threshold
 */
import { describe, expect, test } from "vitest";
import { expectBooks } from "../../../infra/demo/expected-books.ts";
import type { PlannedAccount } from "../../../infra/demo/plan-accounts.ts";
import { planDemo } from "../../../infra/demo/plan-demo.ts";
import { DEMO_RATES } from "../../../infra/demo/rates.ts";
import { readTrace } from "../../../infra/demo/trace.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";

test.each([
  { quantities: [0n], costs: [0n] },
  { quantities: [1n, 1n, 1n], costs: [2n, 3n, 2n] },
  { quantities: [4_807n, 4_808n, 1n], costs: [12_017n, 12_020n, 3n] },
])("$quantities tokens at 2.5 credits a million cost $costs micro-credits", (given) => {
  const account = accountWith([], 0n);
  const events = given.quantities.map((quantity, index) => ({
    ...{ eventId: `e${index + 1}`, accountId: account.accountId, afterMs: 0 },
    ...{ meter: "tokens", quantity },
  }));
  const rate = { meter: "tokens", validFrom: 0, credits: 2_500_000n, per: 1_000_000n };
  const { records } = expectBooks([account], events, [rate]);
  expect([...records.values()].map(({ credits }) => credits)).toEqual(given.costs);
});

const MILLION = 1_000_000n;

describe("an account with lots of 10, 20 and 30", () => {
  test.each([
    { draws: [], left: [10n, 20n, 30n], low: null },
    { draws: [4n], left: [6n, 20n, 30n], low: null },
    { draws: [4n, 7n], left: [0n, 19n, 30n], low: null },
    { draws: [55n], left: [0n, 0n, 5n], low: { balance: 5n, cause: "event:e1" } },
    { draws: [54n, 1n, 1n], left: [0n, 0n, 4n], low: { balance: 5n, cause: "event:e2" } },
    { draws: [54n, 0n, 10n], left: [0n, 0n, 0n], low: { balance: -4n, cause: "event:e3" } },
    { draws: [100n, 1n], left: [0n, 0n, 0n], low: { balance: -40n, cause: "event:e1" } },
  ])("and a threshold of 5 that draws $draws", ({ draws, left, low }) => {
    const account = accountWith([10n, 20n, 30n], 5n);
    const events = draws.map((quantity, index) => ({
      ...{ eventId: `e${index + 1}`, accountId: account.accountId, afterMs: 0 },
      ...{ meter: "calls", quantity },
    }));
    const rate = { meter: "calls", validFrom: 0, credits: 1n, per: 1n };
    const books = expectBooks([account], events, [rate]).accounts.get(account.accountId);
    expect(books).toMatchObject({
      granted: 60n,
      drawn: draws.reduce((sum, credits) => sum + credits, 0n),
      remainders: left,
      lowBalance: low === null ? null : { ...low, threshold: 5n },
    });
  });
});

describe("the demo with 300 accounts", async () => {
  const plan = planDemo(await readTrace(), { accounts: 300, prefix: "demo" });
  const accounts = [...plan.expected.accounts.values()];

  test("publishes two events a request, each with an id of its own", () => {
    expect(plan.events).toHaveLength(2 * 8_819);
    expect(plan.expected.records.size).toBe(2 * 8_819);
  });

  test("draws what each event costs, whichever account it belongs to", () => {
    const drawn = accounts.reduce((sum, account) => sum + account.drawn, 0n);
    const exact = plan.events.reduce((sum, { meter, quantity }) => {
      const rate = DEMO_RATES.find((candidate) => candidate.meter === meter);
      return rate === undefined ? sum : sum + (quantity * rate.credits * MILLION) / rate.per;
    }, 0n);
    // Each account leaves less than a micro-credit of each of its two meters.
    const left = exact - drawn * MILLION;
    expect(left >= 0n && left < 2n * 300n * MILLION).toBe(true);
  });

  test("gives each account three to five lots", () => {
    expect(new Set(plan.accounts.map(({ lots }) => lots.length))).toEqual(new Set([3, 4, 5]));
  });

  test("brings a fifth of the accounts low, most of these into debt", () => {
    expect(accounts.filter(({ lowBalance }) => lowBalance !== null)).toHaveLength(69);
    expect(accounts.filter(({ granted, drawn }) => drawn > granted)).toHaveLength(56);
  });
});

function accountWith(credits: readonly bigint[], threshold: bigint): PlannedAccount {
  const lots = credits.map((of) => ({ source: "plan", credits: of, life: "never" }) as const);
  return { accountId: toAccountId("acme"), timeZone: "UTC", threshold, lots };
}

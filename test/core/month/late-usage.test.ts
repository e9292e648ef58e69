/**
 * Usage that is metered after the expiry of a lot that would have paid for it gets so much of the expiry
 * back, up to what was left of the lot.
 *
 * - if lots end in their order on the line, late usage leaves the books that it leaves in time
 * - never more than expired, never to usage at or after the end
 * - the line does not move for what is given back
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExpiredLot, giveBack, isLate } from "../../../shared/core/month/late-usage.ts";
import { accountWith, eventWith, lotOf, NOON } from "../../support/core/examples.ts";
import { asModelTells, openBooks } from "../usage/books-in-memory.ts";

const HOUR = 3_600_000;

function expired(lotId: string, [start, end]: [bigint, bigint], left: bigint): ExpiredLot {
  return { ...lotOf(lotId, start, end), expiresAt: NOON, left };
}

/** What a late event of some credits gets, by lot. */
function given(lots: readonly ExpiredLot[], position: bigint, credits: bigint, at = NOON - 1) {
  const account = accountWith({ granted: 1_000n, position, expiredUntil: NOON });
  const late = { eventId: "late", source: "", occurredAt: at, credits };
  const outcome = giveBack(account, lots, late);
  return outcome.entries.map((entry) => `${entry.lotId} ${entry.credits}`);
}

describe("a late event", () => {
  const drawn = expired("drawn", [0n, 100n], 30n);
  const cut = expired("cut", [120n, 120n], 50n);
  test.each([
    { what: "gets what it costs", position: 150n, credits: 20n, gets: ["drawn 20"] },
    { what: "gets no more than was left", lots: [drawn], credits: 40n, gets: ["drawn 30"] },
    {
      what: "draws on a second lot then",
      position: 150n,
      credits: 40n,
      gets: ["drawn 30", "cut 10"],
    },
    {
      what: "draws first on what comes before a lot",
      position: 110n,
      credits: 45n,
      gets: ["drawn 30", "cut 5"],
    },
    {
      what: "that draws on what comes before gets none",
      lots: [cut],
      position: 110n,
      credits: 10n,
      gets: [],
    },
    { what: "gets none of a lot that ended as it occurred", at: NOON, credits: 5n, gets: [] },
    { what: "of no credits gets nothing", credits: 0n, gets: [] },
  ])("$what", ({ lots = [drawn, cut], position = 150n, credits, at, gets }) => {
    expect(given(lots, position, credits, at)).toEqual(gets);
  });

  test("is named by the entry, which leaves the line where it is and is due with the expiry", () => {
    const account = accountWith({ granted: 200n, position: 150n, entries: 4n, expiredUntil: NOON });
    const late = { eventId: "e1", source: "chat", occurredAt: NOON - 1, credits: 20n };
    const outcome = giveBack(account, [drawn], late);
    expect(outcome.account).toEqual({ ...account, entries: 5n });
    expect(outcome.expired).toEqual([{ ...drawn, left: 10n }]);
    expect(outcome.entries).toEqual([
      {
        ...{ accountId: "acme", sequence: 5n, kind: "reversal", credits: 20n, lotId: "drawn" },
        ...{ granted: 200n, position: 150n, reference: "late:e1 of chat", dueAt: NOON },
      },
    ]);
  });

  test("is known by the account's row alone", () => {
    const at = (occurredAt: number) => ({ occurredAt });
    expect(isLate(accountWith(), at(0))).toBe(false);
    expect(isLate(accountWith({ expiredUntil: NOON }), at(NOON))).toBe(false);
    expect(isLate(accountWith({ expiredUntil: NOON }), at(NOON - 1))).toBe(true);
  });
});

interface Use {
  readonly credits: bigint;
  readonly hour: number;
  /** How many hours later it is metered. */
  readonly late: number;
}

/** Lots that all stand from the beginning and end in their order, and usage; what each lot paid in the end. */
function play(lots: readonly [bigint, number][], uses: readonly Use[], inTime: boolean) {
  const books = openBooks({
    rates: [{ meter: "calls", validFrom: 0, credits: 1n, per: 1n }],
    window: { maxAheadMs: 0, maxBehindMs: 1_000 * HOUR },
    accounts: [accountWith()],
  });
  let end = 1;
  for (const [index, [credits, life]] of lots.entries()) {
    end += life;
    books.grant("acme", `lot-${index}`, credits, end * HOUR, 0);
  }
  const events = uses.map(({ credits, hour, late }, index) => ({
    at: (inTime ? hour : hour + late) * HOUR,
    event: eventWith({ eventId: `e${index}`, quantity: credits, occurredAt: hour * HOUR }),
  }));
  const last = { at: 500 * HOUR, event: eventWith({ quantity: 0n, occurredAt: 500 * HOUR }) };
  for (const { at, event } of [...events.sort((a, b) => a.at - b.at), last]) {
    books.meter([event], at);
  }
  const told = asModelTells(books.rowsOf("acme"));
  const paid = new Map<string, bigint>();
  for (const { paidBy } of told.records) {
    for (const [lotId, credits] of paidBy) paid.set(lotId, (paid.get(lotId) ?? 0n) + credits);
  }
  return { balance: told.balance, paid };
}

const anyLots = fc.array(fc.tuple(fc.bigInt(1n, 20n), fc.integer({ min: 0, max: 10 })), {
  minLength: 1,
  maxLength: 5,
});
const anyUses = fc.array(
  fc.record({
    credits: fc.bigInt(0n, 12n),
    hour: fc.integer({ min: 0, max: 40 }),
    late: fc.integer({ min: 0, max: 60 }),
  }),
  { maxLength: 12 },
);

test("late or in time, usage costs the same and every lot pays the same", () => {
  fc.assert(
    fc.property(anyLots, anyUses, (lots, uses) => {
      const late = play(lots, uses, false);
      const inTime = play(lots, uses, true);
      expect(late.balance).toBe(inTime.balance);
      expect([...late.paid].sort()).toEqual([...inTime.paid].sort());
    }),
    { numRuns: 500 },
  );
});

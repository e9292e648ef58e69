/**
 * The rules one by one, with readable numbers. meter-usage-histories.test.ts checks that they hold
 * together, whatever happens and however events are split into batches.
 */
import { describe, expect, test } from "vitest";
import type { Account, Lot } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { type Rate, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import {
  accountsDue,
  type MeteringContext,
  meterUsage,
} from "../../../shared/core/usage/meter-usage.ts";
import { readSpent } from "../../../shared/core/usage/open-spend.ts";
import { identityOf, type UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { accountWith, eventWith, lotOf, NOON } from "../../support/core/examples.ts";

const TOKENS: Rate = { meter: "tokens", validFrom: 0, credits: 3n, per: 2n };
const RATES = toRateCard([
  { meter: "calls", validFrom: 0, credits: 1n, per: 1n },
  TOKENS,
  { meter: "minutes", validFrom: NOON, credits: 1n, per: 1n },
]);

describe("usage", () => {
  test("moves its account along the line, each event from where the one before ended", () => {
    const account = accountWith({ granted: 100n, position: 40n, version: 7n });
    const events = [uses(5n), uses(7n), uses(1n)];
    const { drawn, accounts } = meter(events, { accounts: [account] });
    expect(drawn.map(({ start, credits }) => [start, credits])).toEqual([
      [40n, 5n],
      [45n, 7n],
      [52n, 1n],
    ]);
    const spent = `[${NOON},["calls",3,13,13]]`;
    expect(accounts).toEqual([{ ...account, position: 53n, spent }]);
  });

  test("of several accounts is drawn in the order given", () => {
    const accounts = [
      accountWith({ position: 7n }),
      accountWith({ accountId: toAccountId("bolt") }),
    ];
    const events = [
      eventWith({ eventId: "a1" }),
      eventWith({ eventId: "b1", accountId: "bolt" }),
      eventWith({ eventId: "a2", quantity: 2n }),
    ];
    const { drawn } = meter(events, { accounts });
    expect(drawn.map(({ event, start }) => [event.eventId, start])).toEqual([
      ["a1", 7n],
      ["b1", 0n],
      ["a2", 8n],
    ]);
  });

  test("is priced when it occurred, and what is left of a micro-credit is carried along", () => {
    const tokens = (quantity: bigint) =>
      eventWith({ eventId: `t${quantity}`, meter: "tokens", quantity });
    const { drawn, carried } = meter([tokens(5n), tokens(3n), uses(1n), tokens(1n)]);
    expect(drawn.map(({ credits }) => credits)).toEqual([7n, 5n, 1n, 1n]);
    const { validFrom } = TOKENS;
    expect(carried).toEqual([{ accountId: "acme", meter: "tokens", validFrom, remainder: 1n }]);
    const next = meter([tokens(5n)], { carried: [[TOKENS, 1n]] });
    expect([next.drawn[0]?.credits, next.carried[0]?.remainder]).toEqual([8n, 0n]);
    expect(meter([tokens(2n)], { carried: [[TOKENS, 1n]] }).carried).toEqual([]);
  });

  test("that is rejected carries nothing along", () => {
    const full = { accounts: [accountWith({ position: MAX_BIGINT })] };
    const tokens = eventWith({ meter: "tokens", quantity: 3n });
    expect(meter([tokens], full)).toMatchObject({ drawn: [], carried: [] });
  });

  test("beyond the credits there are is debt", () => {
    const { accounts } = meter([uses(30n)], { accounts: [accountWith({ granted: 10n })] });
    expect(accounts[0]).toMatchObject({ granted: 10n, position: 30n });
  });

  test("writes to no lot, and needs none while nothing is due", () => {
    const account = accountWith({ granted: 10n, nextDueAt: NOON + 1 });
    expect(meter([uses(4n)], { accounts: [account] })).toMatchObject({
      entries: [],
      movedLots: [],
    });
  });

  test("of quantity 0 is recorded and publishes no low balance", () => {
    const { drawn, lowBalances } = meter([uses(0n)], { accounts: [accountWith()] });
    expect(drawn).toHaveLength(1);
    expect(lowBalances).toEqual([]);
  });

  test("is summed up by hour and meter", () => {
    const events = [uses(2n), uses(3n), eventWith({ eventId: "t", meter: "tokens", quantity: 2n })];
    const { accounts, spends } = meter(events);
    expect(spends).toEqual([]);
    expect(accounts.flatMap(readSpent)).toEqual([
      { accountId: "acme", hour: NOON, meter: "calls", events: 2, quantity: 5n, credits: 5n },
      { accountId: "acme", hour: NOON, meter: "tokens", events: 1, quantity: 2n, credits: 3n },
    ]);
  });

  test("of no account changes nothing", () => {
    expect(meter([])).toEqual({
      carried: [],
      months: [],
      drawn: [],
      rejected: [],
      repeats: 0,
      accounts: [],
      entries: [],
      granted: [],
      movedLots: [],
      schedules: [],
      changes: [],
      fees: [],
      lowBalances: [],
      spends: [],
    });
  });
});

describe("a low balance", () => {
  test("is published by the event that brings the balance to the threshold, and by no other", () => {
    const account = accountWith({ granted: 20n, threshold: 10n, crossings: 2n });
    const events = ["e1", "e2", "e3"].map((eventId) => eventWith({ eventId, quantity: 5n }));
    const { lowBalances, accounts } = meter(events, { accounts: [account] });
    expect(lowBalances).toEqual([
      {
        accountId: "acme",
        crossing: 3n,
        balance: 10n,
        threshold: 10n,
        cause: "event:e2",
        occurredAt: NOON,
        needed: true,
      },
    ]);
    expect(accounts[0]).toMatchObject({ lowBalance: true, crossings: 3n, position: 15n });
  });

  test("is not published again by a later batch", () => {
    const account = accountWith({ granted: 20n, position: 15n, threshold: 10n, lowBalance: true });
    expect(meter([uses(1n)], { accounts: [account] }).lowBalances).toEqual([]);
  });

  test("is caused by the entry when an expiry crosses, and again by the event that needs credits", () => {
    const account = accountWith({ granted: 10n, entries: 4n, nextDueAt: NOON });
    const { lowBalances } = meter([uses(1n)], {
      accounts: [account],
      lots: [lotOf("plan", 0n, 10n, NOON)],
    });
    expect(lowBalances).toMatchObject([
      { crossing: 1n, cause: "entry:5", balance: 0n, occurredAt: NOON, needed: false },
      {
        crossing: 2n,
        cause: expect.stringMatching(/^event:/),
        balance: -1n,
        occurredAt: NOON,
        needed: true,
      },
    ]);
  });

  test("is published by the first usage of an account that never had credits", () => {
    const { lowBalances } = meter([uses(1n)], { accounts: [accountWith()] });
    expect(lowBalances).toMatchObject([{ crossing: 1n, balance: -1n }]);
  });
});

describe("a lot that expires", () => {
  const plan = lotOf("plan", 0n, 10n, NOON);
  const topUp = lotOf("top-up", 10n, 30n);
  const account = accountWith({ granted: 30n, position: 4n, nextDueAt: NOON });
  const given = { accounts: [account], lots: [plan, topUp] };

  test("pays for usage until the millisecond before", () => {
    const event = eventWith({ occurredAt: NOON - 1 });
    const { drawn, entries } = meter([event], given);
    expect(drawn[0]?.start).toBe(4n);
    expect(entries).toEqual([]);
  });

  test("is posted by the first usage at the instant itself, which the next lot pays", () => {
    const { drawn, entries, accounts } = meter([uses(1n)], given);
    expect(drawn[0]?.start).toBe(10n);
    expect(entries).toMatchObject([{ kind: "expiry", lotId: "plan", credits: -6n, dueAt: NOON }]);
    expect(accounts[0]).toMatchObject({ position: 11n, nextDueAt: null, entries: 1n });
  });

  test("does not pay for late usage read after the expiry was posted", () => {
    const events = [
      eventWith({ eventId: "early", occurredAt: NOON - 1 }),
      eventWith({ eventId: "on time" }),
      eventWith({ eventId: "late", occurredAt: NOON - 1 }),
    ];
    const { drawn } = meter(events, given);
    expect(drawn.map(({ start }) => start)).toEqual([4n, 10n, 11n]);
  });

  test("still pays for usage from a clock that is ahead of ours", () => {
    const early = { ...given, now: NOON - 1 };
    const { drawn, entries } = meter([eventWith({ occurredAt: NOON + 60_000 })], early);
    expect(drawn[0]?.start).toBe(4n);
    expect(entries).toEqual([]);
  });

  test("is withdrawn when it was not reached, and the lots behind it move up", () => {
    const lots = [
      lotOf("top-up", 0n, 20n),
      lotOf("promo", 20n, 25n, NOON),
      lotOf("next", 25n, 30n),
    ];
    const { movedLots, accounts, drawn } = meter([uses(2n)], { accounts: [account], lots });
    expect(movedLots).toEqual([
      { accountId: "acme", lot: lotOf("promo", 20n, 20n, NOON) },
      { accountId: "acme", lot: lotOf("next", 20n, 25n) },
    ]);
    expect(accounts[0]).toMatchObject({ granted: 25n, position: 6n });
    expect(drawn[0]?.start).toBe(4n);
  });

  test("and was not reached takes along withdrawn lots behind it, so that the line has no gap", () => {
    const before = lotOf("withdrawn", 20n, 20n, NOON - 9);
    const lots = [topUp, lotOf("promo", 10n, 20n, NOON), before].map((lot) =>
      lot === topUp ? lotOf("top-up", 0n, 10n) : lot,
    );
    const { movedLots } = meter([uses(1n)], { accounts: [{ ...account, granted: 20n }], lots });
    expect(movedLots.map(({ lot }) => lot)).toEqual([
      lotOf("promo", 10n, 10n, NOON),
      lotOf("withdrawn", 10n, 10n, NOON - 9),
    ]);
  });

  test("is not posted by a repeat, nor by an event of an unknown meter", () => {
    const repeat = uses(1n);
    const events = [repeat, eventWith({ eventId: "u", meter: "unheard-of" })];
    const { entries, accounts } = meter(events, { ...given, recorded: [repeat] });
    expect(entries).toEqual([]);
    expect(accounts).toEqual([]);
  });

  test("cannot be posted without the rows that settling needs", () => {
    const context = {
      accounts: new Map([["acme", account]]),
      books: new Map(),
      carried: new Map(),
    };
    const read = {
      ...{ now: NOON, rates: toRates(RATES), catalogue: EMPTY_CATALOGUE, completeUntil: null },
      expired: new Map(),
    };
    expect(() => meterUsage([uses(1n)], { ...read, ...context, recorded: new Map() })).toThrow(
      "account acme is due, but its book was not read",
    );
  });

  test("is read only where a named account has something due", () => {
    const bolt = accountWith({ accountId: toAccountId("bolt"), nextDueAt: NOON + 1 });
    const accounts = new Map([account, bolt].map((one) => [one.accountId as string, one]));
    const named = ["acme", "acme", "bolt", "x"];
    expect(accountsDue(named, accounts, NOON)).toEqual(["acme"]);
    expect(accountsDue(named, accounts, NOON - 1)).toEqual([]);
    expect(accountsDue(["bolt"], accounts, NOON)).toEqual([]);
  });
});

describe("the same event again", () => {
  const event = eventWith({ quantity: 5n, dimensions: { a: "1", b: "2" } });

  test("is dropped and counted, both in a later batch and in the same one", () => {
    const again = { ...event, dimensions: { b: "2", a: "1" } };
    expect(meter([again], { recorded: [event] })).toMatchObject({ repeats: 1, drawn: [] });
    const { repeats, drawn } = meter([event, again, again]);
    expect([repeats, drawn.length]).toEqual([2, 1]);
  });

  test("with other content is a conflict, and the first is kept", () => {
    const other = { ...event, quantity: 6n };
    const { rejected, drawn, repeats } = meter([event, other, event]);
    expect(rejected).toEqual([
      {
        event: other,
        rejection: {
          reason: "conflict",
          detail: "metered before: quantity is 6, was 5",
        },
      },
    ]);
    expect([drawn.length, repeats]).toEqual([1, 1]);
  });

  test.each<{ again: Partial<UsageEvent>; detail: string }>([
    { again: { meter: "tokens" }, detail: "meter is tokens, was calls" },
    {
      again: { occurredAt: NOON + 1 },
      detail:
        "occurred_at is 2026-11-22T12:00:00.001Z, was 2026-11-22T12:00:00.000Z; publish a retry with the occurred_at of the first attempt",
    },
    {
      again: { quantity: 1n, dimensions: { b: "2" } },
      detail: 'quantity is 1, was 5; dimensions is {"b":"2"}, was {"a":"1","b":"2"}',
    },
  ])("with other content names what differs: $detail", ({ again, detail }) => {
    const { rejected } = meter([event, { ...event, ...again }]);
    expect(rejected.map(({ rejection }) => rejection.detail)).toEqual([
      `metered before: ${detail}`,
    ]);
  });

  test("from another source is another event, with repeats and conflicts of its own", () => {
    const other = { ...event, source: "eu", quantity: 6n };
    const { drawn, repeats, rejected } = meter([
      ...[event, other, other, event],
      { ...other, quantity: 7n },
    ]);
    expect([drawn.map(({ credits }) => credits), repeats]).toEqual([[5n, 6n], 2]);
    expect(rejected.map(({ rejection }) => rejection.reason)).toEqual(["conflict"]);
    expect(drawn.map(({ event }) => event.source)).toEqual(["", "eu"]);
    expect(meter([other], { recorded: [event] })).toMatchObject({ repeats: 0, rejected: [] });
  });

  test("under another account's name is another event", () => {
    const accounts = [accountWith(), accountWith({ accountId: toAccountId("bolt") })];
    const { drawn } = meter([event, { ...event, accountId: "bolt" }], { accounts });
    expect(drawn).toHaveLength(2);
  });

  test("is metered when the first was dead-lettered", () => {
    const unpriced = { ...event, meter: "unheard-of" };
    expect(meter([unpriced, event])).toMatchObject({ repeats: 0, drawn: [{ event }] });
  });

  test("is never confused with one whose ids merely concatenate to the same text", () => {
    const all = [
      { accountId: "a", source: "b", eventId: "cd" },
      { accountId: "ab", source: "", eventId: "cd" },
      { accountId: "a", source: "bc", eventId: "d" },
    ];
    expect(new Set(all.map(identityOf)).size).toBe(3);
  });
});

describe("an event that cannot be metered is a dead letter with its reason", () => {
  test.each<{ what: string; given: Partial<UsageEvent>; reason: string; detail: string }>([
    {
      what: "of an account that is not there",
      given: { accountId: "nobody" },
      reason: "unknown_account",
      detail: "there is no account nobody",
    },
    {
      what: "of an account that cannot be created",
      given: { accountId: "no\nbody" },
      reason: "malformed",
      detail: "account_id holds a line break or another control character",
    },
    {
      what: "of a meter that has no price",
      given: { meter: "unheard-of" },
      reason: "unknown_meter",
      detail: "meter unheard-of has no price; set one",
    },
    {
      what: "from before its meter's first price",
      given: { meter: "minutes", occurredAt: NOON - 1 },
      reason: "no_price",
      detail:
        "meter minutes had no price yet when this occurred; its first is from 2026-11-22T12:00:00.000Z on",
    },
    {
      what: "that would not fit on the line",
      given: { quantity: MAX_BIGINT - 9n },
      reason: "overflow",
      detail: `${MAX_BIGINT - 9n} micro-credits do not fit on the line`,
    },
  ])("$what", ({ given, reason, detail }) => {
    const event = eventWith(given);
    const { rejected, drawn, accounts } = meter([event], {
      accounts: [accountWith({ granted: 20n, position: 10n })],
    });
    expect(rejected).toEqual([{ event, rejection: { reason, detail } }]);
    expect([drawn, accounts]).toEqual([[], []]);
  });

  test("and does not stop events behind it", () => {
    const tooMuch = eventWith({ eventId: "big", quantity: MAX_BIGINT });
    const account = accountWith({ granted: 20n, position: 10n });
    const { drawn } = meter([tooMuch, uses(3n)], { accounts: [account] });
    expect(drawn.map(({ start, credits }) => [start, credits])).toEqual([[10n, 3n]]);
  });

  test("but one that just fits on the line is drawn", () => {
    const account = accountWith({ position: 10n });
    const { accounts } = meter([uses(MAX_BIGINT - 10n)], { accounts: [account] });
    expect(accounts[0]?.position).toBe(MAX_BIGINT);
  });
});

let used = 0;

/** Some of acme's calls at noon, each a new event. */
function uses(quantity: bigint): UsageEvent {
  used += 1;
  return eventWith({ eventId: `use-${used}`, quantity });
}

/** Meters at noon; by default acme has no credits and nothing was metered before. */
function meter(
  events: readonly UsageEvent[],
  given: {
    accounts?: readonly Account[];
    lots?: readonly Lot[];
    recorded?: readonly UsageEvent[];
    now?: number;
    carried?: readonly (readonly [Rate, bigint])[];
  } = {},
) {
  const { accounts = [accountWith()], lots = [], recorded = [], now = NOON, carried = [] } = given;
  const context: MeteringContext = {
    now,
    rates: toRates(RATES),
    accounts: new Map(accounts.map((account) => [account.accountId, account])),
    catalogue: EMPTY_CATALOGUE,
    completeUntil: null,
    books: new Map([["acme", { lots, schedule: EMPTY_SCHEDULE }]]),
    expired: new Map(),
    recorded: new Map(recorded.map((event) => [identityOf(event), event])),
    carried: new Map([["acme", new Map(carried)]]),
  };
  return meterUsage(events, context);
}

/**
 * Columns are metered as events are, one by one: whatever is read of the accounts, whatever the rates, and with
 * amounts on both sides of what doubles hold. meter-usage-histories.test.ts has more of what may happen.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import type { OwnTerms } from "../../../shared/core/offer/own-terms.ts";
import {
  type MeterVersion,
  price,
  type Rate,
  remainderAfter,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import {
  inDoubles,
  priceInDoubles,
  remainderInDoubles,
} from "../../../shared/core/offer/rate-in-doubles.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";

import { groupByAccount } from "../../../shared/core/usage/group-columns.ts";
import {
  type ColumnMeteringContext,
  meterColumns,
} from "../../../shared/core/usage/meter-columns.ts";
import { meterUsage } from "../../../shared/core/usage/meter-usage.ts";
import { eventAt, plainColumns } from "../../../shared/core/usage/usage-columns.ts";
import {
  identityOf,
  MAX_DIMENSION_LENGTH,
  type ReceivedEvent,
  type UsageEvent,
} from "../../../shared/core/usage/usage-event.ts";
import {
  allPlaces,
  columnsOf,
  inOneOrder,
  ordered,
  placesOfEvents,
  possibleRepeats,
  received,
} from "../../support/core/columns-of.ts";
import { accountWith, eventWith, NOON } from "../../support/core/examples.ts";
import { discountOf, ownRates } from "../../support/core/own-terms.ts";

const EDGE = 2n ** 53n;
const CHAT = rateTable(
  { meter: "chat", validFrom: 0 },
  {
    dimensions: ["team", "kind"],
    rates: [
      { patterns: ["blue", null], credits: 1n, per: 3n },
      { patterns: ["b*", null], credits: 2n, per: 7n },
      { patterns: ["blue", "input"], credits: 5n, per: 1n },
      { patterns: ["b*", "input"], credits: EDGE - 1n, per: 2n },
      { patterns: ["blue", "output"], band: { of: null, from: 3n }, credits: 1n, per: 2n },
      { patterns: ["blue", "output"], band: { of: null, from: 9n }, credits: 4n, per: 3n },
      { patterns: ["b*", "output"], credits: 3n, per: 1n },
      { patterns: ["b*", "output"], band: { of: "size", from: 5n }, credits: 2n, per: 7n },
    ],
  },
);
const RATES: readonly MeterVersion[] = [
  CHAT,

  { meter: "calls", validFrom: 0, credits: 1n, per: 1n },
  { meter: "tokens", validFrom: 0, credits: 3n, per: 7n },
  { meter: "tokens", validFrom: NOON, credits: 150n, per: 1_000n },
  { meter: "pages", validFrom: 0, credits: 5n, per: 4n, roundsEach: true },
  { meter: "dear", validFrom: NOON - 5, credits: EDGE - 1n, per: 1n },
  { meter: "free", validFrom: 0, credits: 0n, per: 1n },
  { meter: "dearest", validFrom: 0, credits: MAX_BIGINT, per: MAX_BIGINT },
];

/** acme pays the list. */
const OWN_TERMS: readonly OwnTerms[] = [
  discountOf("bolt", null, 0, 1_250),
  discountOf("bolt", "tokens", NOON - 10, 3_333),
  discountOf("bolt", "tokens", NOON, 0),
  discountOf("cord", null, NOON - 7, 10_000),
  discountOf("cord", "dearest", NOON - 12, 1),
  ownRates("cord", "calls", 0, { credits: 2n, per: 3n }),
  ownRates("dash", "chat", NOON - 15, {
    dimensions: ["kind", "model"],
    rates: [
      { patterns: ["input", "x*"], credits: 3n, per: 5n },
      { patterns: [null, "y"], credits: 1n, per: 4n },
      { patterns: ["output", null], band: { of: null, from: 20n }, credits: 2n, per: 9n },
      { patterns: ["output", null], band: { of: null, from: 30n }, credits: 1n, per: 9n },
    ],
  }),
  ownRates("dash", "tokens", NOON - 3, {
    dimensions: [],
    rates: [{ patterns: [], band: { of: null, from: 10n }, credits: 1n, per: 11n }],
  }),
];

const ALL_RATES = toRates(toRateCard(RATES), OWN_TERMS);

const someAmount = fc.oneof(
  { weight: 10, arbitrary: fc.bigInt(0n, 50n) },
  { weight: 2, arbitrary: fc.bigInt(EDGE / 4n, EDGE + 3n) },
  { weight: 1, arbitrary: fc.bigInt(MAX_BIGINT - 3n, MAX_BIGINT) },
);
const someInstant = fc.integer({ min: NOON - 20, max: NOON + 5 });
const ids = ["acme", "bolt", "cord", "dash"];
const someId = fc.oneof(
  { weight: 8, arbitrary: fc.uuid() },
  {
    weight: 1,
    arbitrary: fc.constantFrom("run-1", "run-2", "0192f0c1-3b5a-7c3e-9d2f-0123456789ab"),
  },
);
const someEvent = fc.record({
  eventId: someId,
  accountId: fc.constantFrom(...ids, "nobody"),
  meter: fc.constantFrom(
    "calls",
    "calls",
    "tokens",
    "tokens",
    "pages",
    "dear",
    "dearest",
    "free",
    "free",
    "unheard-of",
    "chat",
    "chat",
    "chat",
  ),
  quantity: someAmount,
  occurredAt: someInstant,
  source: fc.constantFrom("", "", "gateway"),
  dimensions: fc.constantFrom<Record<string, string>>(
    {},
    { team: "blue" },
    { team: "black", model: "x" },
    { team: "blue", kind: "input" },
    { team: "bright", kind: "input" },
    { kind: "input" },
    { team: "blue", kind: "output" },
    { team: "bright", kind: "output", size: "5" },
    { team: "bright", kind: "output", size: "5.0" },
  ),
  quantities: fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom("calls", "tokens", "pages", "free", "chat", "nothing"),
        someAmount,
        { maxKeys: 5 },
      ),
    },
  ),
});
/** An event of the batch again: next to it or far from it, the same or with something else. */
const someAgain = fc.record({
  of: fc.nat(40),
  after: fc.oneof(fc.constant(0), fc.nat(40)),
  with: fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ quantity: fc.bigInt(0n, 9n) }) },
    { weight: 1, arbitrary: fc.record({ source: fc.constant("gateway") }) },
    { weight: 1, arbitrary: fc.record({ accountId: fc.constantFrom(...ids) }) },
    { weight: 1, arbitrary: fc.record({ dimensions: fc.constant({ team: "blue" }) }) },
    { weight: 1, arbitrary: fc.record({ quantities: fc.constant({ never: 3n }) }) },
  ),
});
type Again = ReturnType<typeof someAgain.generate>["value"];

/** All in columns have passed `rejectEvent`. */
function withoutMeterTwice<E extends Pick<UsageEvent, "meter" | "quantities">>(event: E): E {
  const { [event.meter]: _, ...quantities } = event.quantities;
  return { ...event, quantities };
}

function withAgain(events: readonly UsageEvent[], agains: readonly Again[]): UsageEvent[] {
  const all = [...events];
  for (const again of agains) {
    const at = again.of % Math.max(1, all.length);
    const event = all[at];
    if (event !== undefined) all.splice(at + 1 + again.after, 0, { ...event, ...again.with });
  }
  return all;
}

const someAccount = fc.record({
  granted: someAmount,
  position: someAmount,
  version: fc.constantFrom(0n, 7n, EDGE),
  threshold: fc.constantFrom(0n, 20n, EDGE),
  lowBalance: fc.boolean(),
  waitingCrossing: fc.constantFrom(null, 0n),
  timeZone: fc.constantFrom("UTC", "Asia/Kolkata"),
  expiredUntil: fc.constantFrom(null, NOON - 10),
});

describe("columns", () => {
  test("are metered as their events are, one by one", () => {
    fc.assert(
      fc.property(
        fc.array(someEvent.map(withoutMeterTwice), { maxLength: 30 }),
        fc.array(someAgain, { maxLength: 12 }),
        fc.tuple(someAccount, someAccount, someAccount, someAccount),
        fc.nat(60),
        fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 4 }),
        (usage, agains, fields, known, unfounded) => {
          const accounts = new Map(
            ids.map((id, index) => {
              return [id, accountWith({ accountId: toAccountId(id), ...fields[index] })];
            }),
          );
          const events = received(withAgain(usage.map(eventWith), agains));
          const before = events.slice(known).map((event) => [identityOf(event), event] as const);
          const recorded = new Map(before);
          const places = placesOfEvents(columnsOf(events));
          const mayRepeat = possibleRepeats(events, recorded, places);
          for (const [index, back] of unfounded) {
            const [place, first] = [places[index], places[index - back]];
            if (place !== undefined && first !== undefined && !mayRepeat.has(place)) {
              mayRepeat.set(place, first);
            }
          }
          const context = contextWith({
            accounts,
            carried: new Map([
              [
                "acme",
                new Map<MeterVersion, bigint>([
                  [RATES[2] as Rate, 6n],
                  [CHAT, 20n],
                ]),
              ],
            ]),
            recorded,
            mayRepeat,
          });
          expect(metered(events, context)).toEqual(ordered(meterUsage(events, context)));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("of accounts that only draw need no object an event", () => {
    const accounts = ids.map((id) => accountWith({ accountId: toAccountId(id), granted: 10_000n }));
    const events = received(
      ids.flatMap((accountId, index) => [
        eventWith({ eventId: uuid(index), accountId }),
        eventWith({ eventId: uuid(10 + index), accountId, meter: "tokens", quantity: 9n }),
      ]),
    );
    const columns = columnsOf(events);
    const byId = new Map(accounts.map((account) => [account.accountId, account]));
    const groups = groupByAccount(columns, allPlaces(columns));
    const metering = meterColumns(groups, contextWith({ accounts: byId }));
    expect(metering.drawn).toEqual([]);
    expect(metering.columns?.events).toBe(8);
  });

  test("drop repeats of one another where they are drawn, and leave conflicts to be metered one by one", () => {
    const event = (number: number, more: Partial<UsageEvent> = {}) =>
      eventWith({ eventId: uuid(number), ...more });
    const bolt = { accountId: "bolt" };
    const events = received([
      ...[event(1), event(1), event(2), event(1), event(1, { source: "eu" })],
      ...[event(1, bolt), event(3, bolt), event(1, { ...bolt, quantity: 7n })],
    ]);
    const columns = columnsOf(events);
    const accounts = new Map(
      ["acme", "bolt"].map((id) => [
        id,
        accountWith({ accountId: toAccountId(id), granted: 10_000n }),
      ]),
    );
    const mayRepeat = possibleRepeats(events, new Map());
    const metering = meterColumns(
      groupByAccount(columns, allPlaces(columns)),
      contextWith({ accounts, mayRepeat }),
    );
    expect([metering.columns?.events, metering.drawn.length, metering.repeats]).toEqual([3, 2, 2]);
    expect(metering.rejected.map(({ rejection }) => rejection.reason)).toEqual(["conflict"]);
  });

  test("add up quantities beyond what doubles hold", () => {
    const most = 2n ** 52n - 1n;
    const usage = [1, 2, 3].map((index) => {
      return eventWith({ eventId: uuid(index), meter: "free", quantity: most });
    });
    const events = received(usage);
    const accounts = new Map([["acme", accountWith({ granted: 100n })]]);
    const context = contextWith({ accounts });
    const [account] = metered(events, context).accounts;
    expect(account).toEqual(meterUsage(events, context).accounts[0]);
    expect(account?.spent).toContain(String(3n * most));
  });

  test("have an account's events together, even where only some of them know its number", () => {
    const events = received([
      eventWith({ eventId: uuid(1), accountId: "acme" }),
      eventWith({ eventId: uuid(2), accountId: "bolt" }),
      eventWith({ eventId: uuid(3), accountId: "acme" }),
    ]);
    const columns = columnsOf(events);
    columns.account[2] = -1;
    const unnumbered = { ...columns, plain: new Map([[2, events[2] as ReceivedEvent]]) };
    const { accountIds, order, ends } = groupByAccount(unnumbered, allPlaces(unnumbered));
    expect([accountIds, [...order], [...ends]]).toEqual([
      ["acme", "bolt"],
      [0, 2, 1],
      [2, 3],
    ]);
  });

  test("can hold events just as they are", () => {
    const long = { region: "x".repeat(MAX_DIMENSION_LENGTH) };
    const events = received([eventWith({ dimensions: long }), eventWith({ accountId: "bolt" })]);
    const columns = plainColumns(events);
    expect(events.map((_, place) => eventAt(columns, place))).toEqual(events);
    const accounts = new Map([["acme", accountWith({})]]);
    const context = contextWith({ accounts });
    const groups = groupByAccount(columns, allPlaces(columns));
    expect(inOneOrder(meterColumns(groups, context))).toEqual(ordered(meterUsage(events, context)));
  });
});

describe("a price in doubles", () => {
  test("is the price in integers, or needs more than 53 bits on the way", () => {
    const most = EDGE + 10n;
    fc.assert(
      fc.property(
        fc.record({ credits: someAmount, per: fc.bigInt(1n, most), roundsEach: fc.boolean() }),
        someAmount,
        fc.bigInt(0n, most),
        ({ roundsEach, ...of }, quantity, anything) => {
          const rate: Rate = { meter: "m", validFrom: 0, ...of, ...(roundsEach && { roundsEach }) };
          const remainder = anything % rate.per;
          const doubles = inDoubles(rate);
          if (doubles === null || !Number.isSafeInteger(Number(quantity))) return;
          const credits = priceInDoubles(doubles, Number(quantity), Number(remainder));
          if (Number.isNaN(credits)) {
            expect(quantity * rate.credits + rate.per >= EDGE).toBe(true);
            return;
          }
          const exact = price(rate, quantity, remainder);
          expect(BigInt(credits)).toBe(exact);
          if (!doubles.carries) return;
          expect(BigInt(remainderInDoubles(doubles, Number(quantity), Number(remainder)))).toBe(
            remainderAfter(rate, quantity, exact, remainder),
          );
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["the last product that doubles hold", EDGE - 1n, 9_007_199_254_740_991],
    ["the first one that they do not", EDGE, Number.NaN],
  ])("%s", (_, credits, expected) => {
    const rate = { version: CHAT, credits: Number(credits), per: 1, carries: false, package: 0 };
    expect(priceInDoubles(rate, 1, 0)).toBe(expected);
  });
});

function metered(events: readonly ReceivedEvent[], context: ColumnMeteringContext) {
  const columns = columnsOf(events);
  return inOneOrder(meterColumns(groupByAccount(columns, allPlaces(columns)), context));
}

function contextWith(
  of: Pick<ColumnMeteringContext, "accounts"> & Partial<ColumnMeteringContext>,
): ColumnMeteringContext {
  return {
    now: NOON,
    rates: ALL_RATES,
    catalogue: EMPTY_CATALOGUE,
    completeUntil: null,
    books: new Map(),
    expired: new Map(),
    carried: new Map(),
    recorded: new Map(),
    mayRepeat: new Map(),
    ...of,
  };
}

function uuid(number: number): string {
  return `0192f0c1-3b5a-7c3e-9d2f-${String(number).padStart(12, "0")}`;
}

import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { type MeterVersion, toRateCard } from "../../../shared/core/offer/rate-card.ts";
import { toRates } from "../../../shared/core/offer/rates.ts";
import { conflictWith } from "../../../shared/core/usage/conflict.ts";
import { drawnLines } from "../../../shared/core/usage/drawn-lines.ts";
import { linesOf } from "../../../shared/core/usage/event-lines.ts";
import { type MeteringContext, meterUsage } from "../../../shared/core/usage/meter-usage.ts";
import {
  isSameEvent,
  rejectEvent,
  type UsageEvent,
} from "../../../shared/core/usage/usage-event.ts";
import { accountWith, eventWith, NOON, WINDOW } from "../../support/core/examples.ts";

const RATES: readonly MeterVersion[] = [
  { meter: "input", validFrom: 0, credits: 1n, per: 1n },
  { meter: "cached", validFrom: 0, credits: 1n, per: 10n },
  { meter: "output", validFrom: 0, credits: 4n, per: 1n },
  { meter: "late", validFrom: NOON + 1, credits: 1n, per: 1n },
];

const request = (given: Partial<UsageEvent> = {}) =>
  eventWith({
    meter: "input",
    quantity: 300n,
    quantities: { output: 50n, cached: 120n },
    ...given,
  });

describe("the lines of an event", () => {
  test("are its own meter, then the further ones by name", () => {
    expect(linesOf(request()).map(({ meter }) => meter)).toEqual(["input", "cached", "output"]);
    expect(linesOf(eventWith({}))).toEqual([{ meter: "calls", quantity: 1n }]);
  });

  test("are the same in any order", () => {
    const turned = request({ quantities: { cached: 120n, output: 50n } });
    expect(isSameEvent(request(), turned)).toBe(true);
    expect(isSameEvent(request(), request({ quantities: { cached: 120n } }))).toBe(false);
  });

  test.each([
    [{ quantities: { input: 1n } }, "malformed", "meter input is named twice, also in quantities"],
    [{ quantities: { "": 1n } }, "malformed", "a meter of quantities is empty"],
    [{ quantities: { "a\0": 1n } }, "malformed", "a meter of quantities holds a NUL"],
    [{ quantities: numbered(16) }, "malformed", "more than 15 further quantities"],
    [{ quantities: { output: -1n } }, "negative_quantity", "quantity of output is -1"],
    [{ quantity: -1n }, "negative_quantity", "quantity is -1"],
    [{ quantities: { output: MAX_BIGINT + 1n } }, "overflow", `${MAX_BIGINT + 1n} of output does`],
  ])("cannot be wrong, case %$", (given, reason, detail) => {
    const rejection = rejectEvent(request(given), NOON, WINDOW);
    expect(rejection?.reason).toBe(reason);
    expect(rejection?.detail).toContain(detail);
  });

  test("are fifteen further ones at most", () => {
    expect(rejectEvent(request({ quantities: numbered(15) }), NOON, WINDOW)).toBe(null);
  });

  test("that differ are named", () => {
    const other = request({ quantities: { output: 51n, reasoning: 7n } });
    expect(conflictWith(request(), other).detail).toBe(
      "metered before: quantity of cached is none, was 120; quantity of output is 51, was 50; quantity of reasoning is 7, was none",
    );
  });
});

describe("an event of several meters", () => {
  test("is drawn as one stretch, each line at its meter's rate", () => {
    const { drawn, accounts, rejected } = meter([request()], { position: 1_000n });
    expect(rejected).toEqual([]);
    expect(drawn).toMatchObject([{ start: 1_000n, credits: 512n, lineCredits: [300n, 12n, 200n] }]);
    expect(drawn.flatMap(drawnLines)).toEqual([
      { meter: "input", quantity: 300n, credits: 300n, givenBack: 0n, start: 1_000n },
      { meter: "cached", quantity: 120n, credits: 12n, givenBack: 0n, start: 1_300n },
      { meter: "output", quantity: 50n, credits: 200n, givenBack: 0n, start: 1_312n },
    ]);
    expect(accounts).toMatchObject([{ position: 1_512n }]);
  });

  test("carries what each line leaves of a micro-credit under its own meter", () => {
    const halves = [1, 2, 3].map((number) =>
      request({ eventId: `e${number}`, quantity: 1n, quantities: { cached: 4n } }),
    );
    const { drawn, carried } = meter(halves);
    expect(drawn.map(({ lineCredits }) => lineCredits)).toEqual([
      [1n, 0n],
      [1n, 0n],
      [1n, 1n],
    ]);
    expect(carried).toMatchObject([{ meter: "cached", remainder: 2n }]);
  });

  test.each([
    ["nothing", "unknown_meter", "meter nothing has no price; set one"],
    [
      "late",
      "no_price",
      "meter late had no price yet when this occurred; its first is from 2026-11-22T12:00:00.001Z on",
    ],
  ])("of which %s has no price is rejected whole, naming it", (name, reason, detail) => {
    const event = request({ quantities: { cached: 120n, [name]: 1n } });
    const { drawn, rejected, accounts } = meter([event]);
    expect([drawn, accounts]).toEqual([[], []]);
    expect(rejected).toEqual([{ event, rejection: { reason, detail, meter: name } }]);
  });

  test("that does not fit on the line is rejected whole, naming what costs most", () => {
    const { drawn, rejected } = meter([request({ quantities: { output: MAX_BIGINT / 4n } })]);
    expect(drawn).toEqual([]);
    expect(rejected).toMatchObject([{ rejection: { reason: "overflow" } }]);
    expect(rejected[0]?.rejection.detail).toContain("of output");
  });

  test("crosses the threshold once, after its last line", () => {
    const { lowBalances } = meter([request(), request({ eventId: "e2" })], { granted: 600n });
    expect(lowBalances).toMatchObject([{ cause: "event:e2", balance: -424n }]);
    const at = meter([request()], { granted: 512n, threshold: 300n });
    expect(at.lowBalances).toMatchObject([{ cause: "event:e1", balance: 0n }]);
  });

  test("that is late gets back what all of its lines need, by one entry for each lot", () => {
    const expired = {
      ...{ lotId: "old", start: 0n, end: 400n, expiresAt: NOON + 10, left: 400n },
    };
    const context = { expired: new Map([["acme", [expired]]]) };
    const account = { granted: 1_000n, position: 400n, expiredUntil: NOON + 10 };
    const { drawn, entries } = meter([request()], account, context);
    expect(entries).toMatchObject([{ kind: "reversal", credits: 400n, reference: "late:e1" }]);
    expect(drawn).toMatchObject([{ start: 400n, credits: 512n, givenBack: 400n }]);
    expect(drawn.flatMap(drawnLines).map((line) => [line.start, line.givenBack])).toEqual([
      [400n, 300n],
      [400n, 12n],
      [400n, 88n],
    ]);
  });

  test("is summed up under each of its meters", () => {
    const { accounts } = meter([request(), request({ eventId: "e2", quantities: {} })]);
    expect(JSON.parse(accounts[0]?.spent ?? "").slice(1)).toEqual([
      ["input", 2, 600, 600],
      ["cached", 1, 120, 12],
      ["output", 1, 50, 200],
    ]);
  });
});

function numbered(count: number): Record<string, bigint> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 1n]));
}

function meter(
  events: readonly UsageEvent[],
  account: Parameters<typeof accountWith>[0] = {},
  more: Partial<MeteringContext> = {},
) {
  return meterUsage(events, {
    now: NOON,
    rates: toRates(toRateCard(RATES)),
    accounts: new Map([["acme", accountWith({ granted: 1_000_000n, ...account })]]),
    catalogue: EMPTY_CATALOGUE,
    completeUntil: null,
    books: new Map(),
    expired: new Map(),
    carried: new Map(),
    recorded: new Map(),
    ...more,
  });
}

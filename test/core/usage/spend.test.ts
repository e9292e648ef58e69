/**
 * - events of one hour of the account's zone and one meter are one spend, all others another
 * - the spends sum to the events
 */
import { describe, expect, test } from "vitest";
import { hourOf } from "../../../shared/core/offer/months.ts";
import { addToSpend, type Spend } from "../../../shared/core/usage/spend.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { accountWith, eventWith, MINUTE, NOON } from "../../support/core/examples.ts";

describe("what an account used", () => {
  test("of one meter within one hour is one sum", () => {
    const events = [
      eventWith({ quantity: 2n }),
      eventWith({ quantity: 0n }),
      eventWith({ quantity: 5n, occurredAt: NOON + 60 * MINUTE - 1 }),
    ];
    expect(spendOf(events)).toEqual([
      { accountId: "acme", hour: NOON, meter: "calls", events: 3, quantity: 7n, credits: 14n },
    ]);
  });

  test("of another meter, or in another hour, is another sum", () => {
    const events = [
      eventWith(),
      eventWith({ meter: "tokens" }),
      eventWith({ occurredAt: NOON - 1 }),
      eventWith(),
    ];
    const summed = spendOf(events).map(({ meter, hour, events }) => [meter, hour, events]);
    expect(summed).toEqual([
      ["calls", NOON, 2],
      ["tokens", NOON, 1],
      ["calls", NOON - 60 * MINUTE, 1],
    ]);
  });

  test("is summed by the hours of its own time zone", () => {
    const events = [
      eventWith({ occurredAt: NOON + 29 * MINUTE }),
      eventWith({ occurredAt: NOON + 30 * MINUTE }),
    ];
    const hours = spendOf(events, "Asia/Kolkata").map(({ hour }) => hour);
    expect(hours).toEqual([NOON - 30 * MINUTE, NOON + 30 * MINUTE]);
  });
});

/** Adds events up at 2 micro-credits a unit. */
function spendOf(events: readonly UsageEvent[], timeZone = "UTC"): Spend[] {
  const spends: Spend[] = [];
  const { accountId } = accountWith({});
  for (const { meter, quantity, occurredAt } of events) {
    const hour = hourOf(occurredAt, timeZone);
    addToSpend(spends, { meter, quantity, credits: quantity * 2n }, { accountId, hour });
  }
  return spends;
}

import fc from "fast-check";
import type { Account, Instant, Lot } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import type { EventWindow, UsageEvent } from "../../../shared/core/usage/usage-event.ts";

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
export const NOON: Instant = Date.UTC(2026, 10, 22, 12);
export const WINDOW: EventWindow = { maxAheadMs: 5 * MINUTE, maxBehindMs: 35 * DAY };

/** A newly created account, with overrides. */
export function accountWith(given: Partial<Account> = {}): Account {
  return {
    accountId: toAccountId("acme"),
    version: 1n,
    granted: 0n,
    position: 0n,
    threshold: 0n,
    lowBalance: false,
    crossings: 0n,
    waitingCrossing: null,
    entries: 0n,
    timeZone: "UTC",
    nextDueAt: null,
    settleAt: null,
    expiredUntil: null,
    spent: null,
    held: 0n,
    holdChanges: 0n,
    budgets: null,
    overdraft: null,
    alertAt: null,
    ...given,
  };
}

export function lotOf(
  lotId: string,
  start: bigint,
  end: bigint,
  expiresAt: Instant | null = null,
): Lot {
  return { lotId, start, end, expiresAt };
}

/** One of acme's calls at noon, with overrides. */
export function eventWith(given: Partial<UsageEvent> = {}): UsageEvent {
  return {
    eventId: "e1",
    accountId: "acme",
    meter: "calls",
    quantity: 1n,
    occurredAt: NOON,
    source: "",
    dimensions: {},
    quantities: {},
    holdId: null,
    ...given,
  };
}

/** Amounts from 1 on, mostly small ones with coinciding boundaries, some up to the largest possible. */
export const someCredits: fc.Arbitrary<bigint> = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: 12n }) },
  { weight: 2, arbitrary: fc.bigInt({ min: 1n, max: 1_000_000_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: MAX_BIGINT - 12n, max: MAX_BIGINT }) },
);

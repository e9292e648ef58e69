/**
 * - a grant is one lot at the end of the line and one entry; it takes nothing, so it crosses no
 *   threshold
 * - an account published as low is armed again, or published again when the grant leaves it low
 * - the same lot id again grants nothing, and with anything else is a conflict
 * - nothing is granted that could not be stored or would have expired before it began
 * - a grant and an expiry that is due give the same line in either order
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Account, Lot } from "../../../shared/core/line/account.ts";
import { MAX_BIGINT, remainingOf } from "../../../shared/core/line/credit-line.ts";
import {
  decideGrant,
  type Grant,
  type GrantedLot,
} from "../../../shared/core/month/grant-credits.ts";
import { settle as settleBook } from "../../../shared/core/month/settle.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { accountWith, DAY, lotOf, NOON, someCredits } from "../../support/core/examples.ts";

describe("a grant", () => {
  test("is a lot at the end of the line and an entry with the line after it", () => {
    const account = accountWith({ granted: 20n, position: 25n, entries: 3n, version: 9n });
    expect(
      decideGrant(asks({ end: { kind: "never" } }), { account, existing: null, now: NOON }),
    ).toEqual({
      kind: "granted",
      account: { ...account, granted: 30n, entries: 4n },
      lot: {
        lotId: "gift",
        start: 20n,
        end: 30n,
        credits: 10n,
        source: "promotion",
        reference: "ticket 7",
        grantedAt: NOON,
        expiresAt: null,
      },
      entry: {
        accountId: "acme",
        sequence: 4n,
        kind: "grant",
        credits: 10n,
        granted: 30n,
        position: 25n,
        lotId: "gift",
        reference: "ticket 7",
        dueAt: NOON,
      },
      lowBalance: null,
    });
  });

  test("expires by default two calendar months later in the account's time zone", () => {
    // 22 November 12:00 in UTC is 23 November 01:00 in Auckland, where summer time lasts until April.
    const { lot } = granted(
      asks({ end: { kind: "usual" } }),
      accountWith({ timeZone: "Pacific/Auckland" }),
    );
    expect(lot.expiresAt).toBe(Date.UTC(2027, 0, 22, 12));
  });

  test.each([
    { end: { kind: "usual" }, expiresAt: Date.UTC(2027, 0, 22, 12) },
    { end: { kind: "months", months: 12 }, expiresAt: Date.UTC(2027, 10, 22, 12) },
    { end: { kind: "at", at: NOON + DAY }, expiresAt: NOON + DAY },
    { end: { kind: "never" }, expiresAt: null },
  ] as const)("may expire otherwise: $end", ({ end, expiresAt }) => {
    expect(granted(asks({ end })).lot.expiresAt).toBe(expiresAt);
  });

  test.each([
    { nextDueAt: null, ends: NOON + DAY, next: NOON + DAY },
    { nextDueAt: NOON + 9, ends: NOON + DAY, next: NOON + 9 },
    { nextDueAt: NOON + 2 * DAY, ends: NOON + DAY, next: NOON + DAY },
  ])(
    "makes the account due when its lot expires, unless it is due earlier",
    ({ nextDueAt, ends, next }) => {
      const { account } = granted(
        asks({ end: { kind: "at", at: ends } }),
        accountWith({ nextDueAt }),
      );
      expect(account.nextDueAt).toBe(next);
    },
  );
});

describe("a grant to an account", () => {
  const ten = asks({});

  test("published as low that lifts it above the threshold arms it again", () => {
    const low = accountWith({
      granted: 10n,
      position: 11n,
      threshold: 8n,
      lowBalance: true,
      crossings: 1n,
    });
    const { account, lowBalance } = granted(ten, low);
    expect([account.lowBalance, account.crossings, lowBalance]).toEqual([false, 1n, null]);
  });

  test("published as low that leaves it at the threshold publishes it again", () => {
    const low = accountWith({
      granted: 10n,
      position: 12n,
      threshold: 8n,
      lowBalance: true,
      crossings: 1n,
    });
    const { account, lowBalance } = granted(ten, low);
    expect([account.lowBalance, account.crossings]).toEqual([true, 2n]);
    expect(lowBalance).toEqual({
      accountId: "acme",
      crossing: 2n,
      balance: 8n,
      threshold: 8n,
      cause: "entry:1",
      occurredAt: NOON,
      needed: true,
    });
  });

  test("not published as low publishes nothing, even where the balance stays below the threshold", () => {
    const { account, lowBalance } = granted(ten, accountWith({ threshold: 50n }));
    expect([account.lowBalance, lowBalance]).toEqual([false, null]);
  });
});

describe("a repeated grant", () => {
  const now = NOON + DAY;
  const account = accountWith({ granted: 10n });
  const { lot: existing } = granted(asks({}), accountWith());

  test("already exists, also when its default expiry would differ by now", () => {
    expect(decideGrant(asks({}), { account, existing, now })).toEqual({
      kind: "already_exists",
      lot: existing,
    });
  });

  test("already exists when its lot has been withdrawn", () => {
    const withdrawn: GrantedLot = { ...existing, end: existing.start };
    expect(decideGrant(asks({}), { account, existing: withdrawn, now }).kind).toBe(
      "already_exists",
    );
  });

  test.each<{ what: string; other: Partial<Grant> }>([
    { what: "credits", other: { credits: 11n } },
    { what: "source", other: { source: "plan" } },
    { what: "reference", other: { reference: "ticket 8" } },
    { what: "end", other: { end: { kind: "never" } } },
    { what: "end", other: { end: { kind: "at", at: now + DAY } } },
  ])("with another $what is a conflict", ({ other }) => {
    const { lotId, credits, source, reference, expiresAt } = existing;
    expect(decideGrant(asks(other), { account, existing, now })).toEqual({
      ...{ kind: "lot_exists", lotId, credits, source, reference, expiresAt },
    });
  });
});

describe("nothing is granted", () => {
  test.each([0n, -1n])("of %s credits", (credits) => {
    expect(decision(asks({ credits }))).toEqual({ kind: "no_credits" });
  });

  test.each(["plan:1:3", "plan:", "top-up:low-balance:1", "top-up:manual:7", "top-up:"])(
    "under an id reserved for months of a subscription or top-ups: %s",
    (lotId) => {
      expect(decision(asks({ lotId }))).toEqual({ kind: "reserved_lot_id", lotId });
    },
  );

  test.each(["plan-1", "top-up", "my top-up:1"])(
    "but under one that only looks reserved: %s",
    (lotId) => {
      expect(decision(asks({ lotId })).kind).toBe("granted");
    },
  );

  test("beyond what 64 bits hold, to the last micro-credit", () => {
    const account = accountWith({ granted: 5n });
    const most = MAX_BIGINT - 5n;
    expect(decision(asks({ credits: most + 1n }), account)).toEqual({ kind: "overflow", most });
    expect(granted(asks({ credits: most }), account).account.granted).toBe(MAX_BIGINT);
  });

  test("that expires immediately or has expired", () => {
    for (const at of [NOON, NOON - 1]) {
      expect(decision(asks({ end: { kind: "at", at } }))).toEqual({ kind: "already_ended", at });
    }
    expect(decision(asks({ end: { kind: "at", at: NOON + 1 } })).kind).toBe("granted");
  });
});

test("a grant and an expiry that is due give the same line in either order", () => {
  const before = fc.record({ credits: someCredits, due: fc.boolean() });
  fc.assert(
    fc.property(fc.array(before, { maxLength: 5 }), fc.nat(100), (grants, drawn) => {
      let end = 0n;
      const lots = grants.map(({ credits, due }, i) => {
        end += credits;
        return lotOf(`lot-${i}`, end - credits, end, due ? NOON : null);
      });
      if (end > MAX_BIGINT - 10n) return;
      const account = accountWith({ granted: end, position: ((end + 3n) * BigInt(drawn)) / 90n });
      const settled = settle(account, lots, NOON);
      const settledFirst = granted(asks({}), settled.account);
      const grantFirst = granted(asks({}), account);
      const settledAfter = settle(grantFirst.account, [...lots, grantFirst.lot], NOON);
      const first = [...settled.lots, settledFirst.lot].map(left(settledFirst.account.position));
      expect(settledAfter.lots.map(left(settledAfter.account.position))).toEqual(first);
      expect(settledAfter.account.granted).toBe(settledFirst.account.granted);
      expect(settledAfter.account.position).toBe(settledFirst.account.position);
    }),
  );
});

function settle(account: Account, lots: readonly Lot[], asOf: number) {
  const upto = { clock: asOf, usage: asOf, completeUntil: asOf };
  return settleBook({ account, lots, schedule: EMPTY_SCHEDULE }, EMPTY_CATALOGUE, upto);
}

function left(position: bigint) {
  return (lot: { readonly lotId: string; readonly start: bigint; readonly end: bigint }) => [
    lot.lotId,
    lot.start,
    remainingOf(lot, position),
  ];
}

/** Requests ten micro-credits of the default life, with overrides. */
function asks(given: Partial<Grant>): Grant {
  return {
    lotId: "gift",
    credits: 10n,
    source: "promotion",
    reference: "ticket 7",
    end: { kind: "usual" },
    ...given,
  };
}

function decision(asked: Grant, account = accountWith()) {
  return decideGrant(asked, { account, existing: null, now: NOON });
}

function granted(asked: Grant, account = accountWith()) {
  const decided = decision(asked, account);
  if (decided.kind !== "granted") throw new Error(`not granted: ${decided.kind}`);
  return decided;
}

/**
 * - raised to the balance or above it, the account is low: published once, with the cause `threshold`
 * - lowered below the balance, it is armed again, so that the next crossing is published
 * - the same threshold again changes nothing
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideThreshold } from "../../../shared/core/changes/change-threshold.ts";
import type { Account } from "../../../shared/core/line/account.ts";
import { hasCrossed } from "../../../shared/core/line/low-balance.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { accountWith, lotOf, NOON } from "../../support/core/examples.ts";

const LOTS = [lotOf("lot", 0n, 100n, NOON + 1)];

/** An account with a balance of 60. */
function sixtyLeft(given: Partial<Account> = {}): Account {
  return accountWith({ granted: 100n, position: 40n, crossings: 2n, ...given });
}

describe("a threshold", () => {
  test("change is one entry of the history, and moves nothing", () => {
    const account = sixtyLeft({ threshold: 10n });
    expect(set(20n, account)).toEqual({
      kind: "changed",
      account: { ...account, threshold: 20n },
      lots: LOTS,
      schedule: { ...EMPTY_SCHEDULE, changes: 1 },
      entries: [],
      granted: [],
      fees: [],
      changes: [
        {
          sequence: 1,
          kind: "threshold_changed",
          detail: { threshold: "20", before: "10" },
          by: "me",
          at: NOON,
        },
      ],
      lowBalance: null,
    });
  });

  test.each([60n, 61n, 1_000n])(
    "raised to %s with a balance of 60 publishes a low balance",
    (threshold) => {
      const { account, lowBalance } = changed(threshold, sixtyLeft());
      expect(account).toEqual(sixtyLeft({ threshold, lowBalance: true, crossings: 3n }));
      expect(lowBalance).toEqual({
        accountId: "acme",
        crossing: 3n,
        balance: 60n,
        threshold,
        cause: "threshold",
        occurredAt: NOON,
        needed: true,
      });
    },
  );

  test("raised further publishes nothing more", () => {
    const low = sixtyLeft({ threshold: 60n, lowBalance: true });
    const { account, lowBalance } = changed(70n, low);
    expect([account, lowBalance]).toEqual([{ ...low, threshold: 70n }, null]);
  });

  test("lowered below the balance arms the account, and lowered less does not", () => {
    const low = sixtyLeft({ threshold: 80n, lowBalance: true });
    expect(changed(59n, low)).toMatchObject({ account: { lowBalance: false }, lowBalance: null });
    expect(changed(60n, low)).toMatchObject({ account: { lowBalance: true }, lowBalance: null });
  });

  test("lowered with the balance still at or below it publishes the first low balance of a new account", () => {
    const unused = accountWith({ threshold: 10n });
    const { account, lowBalance } = changed(5n, unused);
    expect([account.lowBalance, lowBalance?.cause]).toEqual([true, "threshold"]);
  });

  test("may be below zero", () => {
    const debt = accountWith({ position: 5n, threshold: 0n, lowBalance: true });
    expect(changed(-6n, debt).account.lowBalance).toBe(false);
  });

  test("that is already set is no change", () => {
    expect(set(10n, sixtyLeft({ threshold: 10n }))).toEqual({
      kind: "no_change",
      setting: "threshold",
      threshold: 10n,
    });
  });

  test("leaves an account published as low exactly when it is low, however it changes", () => {
    const thresholds = fc.array(fc.bigInt(-5n, 15n), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.bigInt(0n, 12n), thresholds, (position, asked) => {
        let account = accountWith({ granted: 10n, position, threshold: -100n });
        let said = 0n;
        for (const threshold of asked) {
          const wasLow = account.lowBalance;
          const decision = set(threshold, account);
          if (decision.kind === "no_change") continue;
          account = decision.account;
          expect(account.lowBalance).toBe(10n - position <= threshold);
          expect(hasCrossed(account)).toBe(false);
          expect(decision.lowBalance !== null).toBe(account.lowBalance && !wasLow);
          if (decision.lowBalance !== null) said += 1n;
        }
        expect(account.crossings).toBe(said);
      }),
    );
  });
});

function set(threshold: bigint, account: Account) {
  const book = { account, lots: LOTS, schedule: EMPTY_SCHEDULE };
  const rest = { catalogue: EMPTY_CATALOGUE, currency: "USD", now: NOON, by: "me" };
  return decideThreshold(threshold, { book, ...rest });
}

function changed(threshold: bigint, account: Account) {
  const decision = set(threshold, account);
  if (decision.kind !== "changed") throw new Error("nothing was changed");
  return decision;
}

/**
 * - the row has the newest hour, of at most eight meters; the rest goes to the table
 * - row and table together have what was added, whatever the order
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addSpent, readSpent } from "../../../shared/core/usage/open-spend.ts";
import type { Spend } from "../../../shared/core/usage/spend.ts";
import { accountWith, MINUTE, NOON } from "../../support/core/examples.ts";

const HOUR = 60 * MINUTE;

describe("spend on an account's row", () => {
  test("is of the newest hour: it makes room when the next one begins", () => {
    const first = addSpent(accountWith(), [spend(NOON, "calls", 2n)]);
    expect(first).toEqual({ spent: `[${NOON},["calls",1,2,4]]`, closed: [] });
    const same = addSpent(accountWith(first), [
      spend(NOON, "calls", 3n),
      spend(NOON, "tokens", 1n),
    ]);
    expect(same).toEqual({
      spent: `[${NOON},["calls",2,5,10],["tokens",1,1,2]]`,
      closed: [],
    });
    const next = addSpent(accountWith(same), [
      spend(NOON + HOUR, "calls", 7n),
      spend(NOON, "calls", 1n),
      spend(NOON - HOUR, "calls", 1n),
    ]);
    expect(next.spent).toBe(`[${NOON + HOUR},["calls",1,7,14]]`);
    expect(next.closed.map(({ hour, meter, quantity }) => [hour, meter, quantity])).toEqual([
      [NOON, "calls", 6n],
      [NOON, "tokens", 1n],
      [NOON - HOUR, "calls", 1n],
    ]);
  });

  test("keeps amounts beyond what doubles hold", () => {
    const most = 2n ** 63n - 1n;
    const { spent } = addSpent(accountWith(), [spend(NOON, "calls", most)]);
    const account = accountWith({ spent });
    expect(readSpent(account)).toEqual([spend(NOON, "calls", most)]);
    const twice = addSpent(account, [spend(NOON, "calls", most)]);
    expect(readSpent({ ...account, ...twice })).toMatchObject([{ events: 2, quantity: 2n * most }]);
  });

  test("and spend in the table together are what was added", () => {
    const some = fc.array(
      fc.tuple(fc.nat(2), fc.nat(11), fc.bigInt(0n, 9n)).map(([hour, meter, quantity]) => {
        return spend(NOON + hour * HOUR, `meter ${meter}`, quantity);
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.array(some, { maxLength: 6 }), (batches) => {
        let account = accountWith();
        const closed: Spend[] = [];
        for (const batch of batches) {
          const added = addSpent(account, summed(batch));
          account = accountWith({ spent: added.spent });
          closed.push(...added.closed.map((one) => ({ ...one })));
          expect(summed(added.closed)).toEqual(sorted(added.closed));
        }
        expect(readSpent(account).length).toBeLessThanOrEqual(8);
        expect(summed([...closed, ...readSpent(account)])).toEqual(summed(batches.flat()));
      }),
    );
  });
});

function spend(hour: number, meter: string, quantity: bigint): Spend {
  return {
    accountId: accountWith().accountId,
    hour,
    meter,
    events: 1,
    quantity,
    credits: 2n * quantity,
  };
}

/** One for each hour and meter, in order. */
function summed(spends: readonly Spend[]): Spend[] {
  const sums = new Map<string, Spend>();
  for (const { hour, meter, ...amounts } of spends) {
    const before = sums.get(`${hour} ${meter}`) ?? {
      ...amounts,
      events: 0,
      quantity: 0n,
      credits: 0n,
    };
    sums.set(`${hour} ${meter}`, {
      ...{ accountId: amounts.accountId, hour, meter },
      events: before.events + amounts.events,
      quantity: before.quantity + amounts.quantity,
      credits: before.credits + amounts.credits,
    });
  }
  return sorted([...sums.values()]);
}

function sorted(spends: readonly Spend[]): Spend[] {
  return spends.toSorted((a, b) => a.hour - b.hour || (a.meter < b.meter ? -1 : 1));
}

import { describe, expect, test } from "vitest";
import { KnownBalances } from "../../shared/client/known-balances.ts";

const state = (version: bigint, balance = 10n, held = 0n) => ({
  ...{ version, balance, held, overdraft: null, budgets: [] },
});

describe("what is known of an account", () => {
  test("is the state with the largest version, in whatever order they come", () => {
    const known = new KnownBalances(null);
    for (const version of [2n, 3n, 1n]) known.learn("a", state(version, version));
    expect(known.of("a")).toEqual(state(3n, 3n));
    expect(known.of("b")).toBeUndefined();
  });

  test("is the later of two states with the same version", () => {
    const known = new KnownBalances(null);
    for (const overdraft of [1n, 2n]) known.learn("a", { ...state(1n), overdraft });
    expect(known.of("a")).toEqual({ ...state(1n), overdraft: 2n });
  });

  test("is nothing once something unreadable was said of it, until the next state", () => {
    const known = new KnownBalances(null);
    known.learn("a", state(2n));
    known.learn("a", null);
    expect(known.of("a")).toBeUndefined();
    known.learn("a", state(3n));
    expect(known.of("a")).toEqual(state(3n));
  });

  test("is kept of the chosen accounts only", () => {
    const known = new KnownBalances(new Set(["a"]));
    known.learn("a", state(1n));
    known.learn("b", state(1n));
    expect([known.of("a"), known.of("b")]).toEqual([state(1n), undefined]);
  });
});

describe("it is known until", () => {
  test("what was said to be complete, once every partition is read to where it ended then", () => {
    const known = new KnownBalances(null);
    known.complete(1_000, ends(10n, 20n));
    expect(known.knownUntil).toBeNull();
    known.haveRead(0, 10n);
    expect(known.knownUntil).toBeNull();
    known.haveRead(1, 25n);
    expect(known.knownUntil).toBe(1_000);
  });

  test("the newest of what is read, and never an earlier time", () => {
    const known = new KnownBalances(null);
    known.haveRead(0, 10n);
    known.complete(3_000, ends(10n));
    known.complete(2_000, ends(10n));
    known.complete(4_000, ends(11n));
    expect(known.knownUntil).toBe(3_000);
    known.haveRead(0, 11n);
    expect(known.knownUntil).toBe(4_000);
  });

  test("an earlier time while a partition that was added is not read", () => {
    const known = new KnownBalances(null);
    known.haveRead(0, 10n);
    known.complete(1_000, ends(10n));
    known.complete(2_000, ends(10n, 1n));
    expect(known.knownUntil).toBe(1_000);
  });

  test("no time at all once the topic ends before what was read of it: it is another one", () => {
    const known = new KnownBalances(null);
    known.learn("a", state(1n));
    known.haveRead(0, 10n);
    expect(known.complete(1_000, ends(10n))).toBe(true);
    expect(known.complete(2_000, ends(9n))).toBe(false);
    expect(known.knownUntil).toBeNull();
    expect(known.of("a")).toBeUndefined();
    expect(known.nextOffsetOf(0)).toBe(0n);
  });

  test("some time, although reading falls behind for long", () => {
    const known = new KnownBalances(null);
    for (let second = 1; second <= 1_000; second += 1) {
      known.complete(second * 1_000, ends(BigInt(second)));
    }
    known.haveRead(0, 1_000n);
    expect(known.knownUntil).toBe(1_000_000);
  });
});

function ends(...offsets: bigint[]): Map<number, bigint> {
  return new Map(offsets.entries());
}
